"""Every setting of the service, read once at start from the environment.

A secret may also come from a file: `NAME_FILE=/run/secrets/name`. An empty value counts as unset.
"""

import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import EmailStr, Field, FilePath, IPvAnyNetwork, SecretStr, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

CommaList = Annotated[tuple[str, ...], NoDecode]
Networks = Annotated[tuple[IPvAnyNetwork, ...], NoDecode]


# Of projects and locations: it becomes part of an address.
_CLOUD_NAME = r"^[a-z0-9][a-z0-9.:-]*$"
_BUCKET_NAME = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
_PICTURES = {".png", ".jpg", ".webp"}


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    environment: Literal["development", "production"] = "development"
    data_dir: Path = Path(".nanobanana")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    public_url: str | None = None
    secret_key: SecretStr | None = None
    # Whose X-Forwarded-For and Fly-Client-IP are believed: addresses and networks.
    trusted_proxies: Networks = ()
    # Fly sets it for every program it runs: its proxy then names the client in Fly-Client-IP.
    fly_app_name: str | None = None
    # Multiplies every throttle and ceiling on sign-up, login, passwords and exports.
    throttle_scale: Annotated[float, Field(gt=0)] = 1
    # New free accounts from a /24 or, of IPv6, a /64. None: as many as like.
    free_accounts_per_subnet_per_day: Annotated[int, Field(ge=1)] | None = None
    # How many share the limits when Redis is gone; `serve` fills this in.
    web_processes: Annotated[int, Field(ge=1)] = 1
    shutdown_grace_s: Annotated[float, Field(ge=0)] = 30
    # While no route to a model can serve: how long an order may wait, and how many may.
    queue_max_age_s: Annotated[int, Field(ge=1)] = 3_600
    queue_max_length: Annotated[int, Field(ge=0)] = 10_000
    # Prompts of live keys that a content policy may refuse in a day of UTC: the last one suspends the account.
    refusals_per_day: Annotated[int, Field(ge=1)] = 50
    # Terms that no prompt of a live key may hold, one a line.
    blocklist_file: Path | None = None
    # Whether this process works off queue and jobs beside its requests; `serve --no-jobs` says no.
    run_jobs: bool = True
    metrics_token: SecretStr | None = None
    # The plan table and what Google takes for an image; unset: the tables that come along.
    plans_file: Path | None = None
    model_costs_file: Path | None = None
    # A day, of all accounts on plans that cost nothing together. None: unlimited.
    free_images_per_day: Annotated[int, Field(ge=0)] | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    # State. Unset: the embedded servers under data_dir. Secret, because the URLs carry passwords.
    database_url: SecretStr | None = None
    redis_url: SecretStr | None = None

    # Google, by up to three accounts in this order. Without any the sandbox stands in.
    gemini_api_key: SecretStr | None = None
    gemini_standby_api_key: SecretStr | None = None
    vertex_project: Annotated[str, Field(pattern=_CLOUD_NAME)] | None = None
    vertex_location: Annotated[str, Field(pattern=_CLOUD_NAME)] = "global"
    # Unset: where Google serves the location.
    vertex_base_url: str | None = None
    # By each account and in each process.
    google_calls_at_once: Annotated[int, Field(ge=1)] = 1_000
    gemini_models: CommaList = ("gemini-nano-banana-2.1", "gemini-3.1-flash-lite-image")
    gemini_base_url: str = "https://generativelanguage.googleapis.com"
    gemini_api_version: str = "v1beta"
    gemini_timeout_s: Annotated[float, Field(gt=0)] = 120
    # Where the stand-in for Google listens; `serve` starts one and fills this in.
    sandbox_url: str | None = None

    # Mail. Without a server it goes to the log and, in development, to the page /dev/mail.
    smtp_url: SecretStr | None = None
    mail_from: str | None = None

    # The operator's own terms and privacy notice, Markdown; unset: those that come along. Whom people may write to.
    terms_file: FilePath | None = None
    privacy_file: FilePath | None = None
    contact_email: EmailStr | None = None

    # Addresses that webhooks may go to although they are not public: a receiver on the developer's own machine.
    webhook_allowed_networks: Networks = ()

    # Pictures. "none" hands them over as data: URLs and keeps the bytes for a day in PostgreSQL. Unset: s3 with a bucket.
    image_store: Literal["local", "s3", "none"] = "local"
    # The bucket, at Cloudflare R2 or another that speaks S3.
    r2_endpoint: str | None = None
    r2_bucket: Annotated[str, Field(pattern=_BUCKET_NAME)] | None = None
    r2_region: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = "auto"
    r2_access_key_id: SecretStr | None = None
    r2_secret_access_key: SecretStr | None = None
    # Where everybody can fetch what is in the bucket. Unset: links are signed, and live for a week.
    r2_public_url: str | None = None
    # Pictures that may wait in PostgreSQL while the store is away; past that no more are made.
    store_outage_bytes: Annotated[int, Field(ge=1)] = 2**30

    @field_validator("gemini_models", "trusted_proxies", "webhook_allowed_networks", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(item.strip() for item in value.split(",") if item.strip())
        return value

    @field_validator(
        "public_url", "gemini_base_url", "vertex_base_url", "sandbox_url", "r2_endpoint", "r2_public_url"
    )
    @classmethod
    def _without_trailing_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else value

    @field_validator("public_url", "r2_endpoint", "r2_public_url")
    @classmethod
    def _is_web_address(cls, value: str | None) -> str | None:
        if value:
            url = urlsplit(value)
            if url.scheme not in {"http", "https"} or not url.hostname or url.port == 0:
                raise ValueError("must look like https://example.com")
        return value

    @field_validator("r2_endpoint")
    @classmethod
    def _has_no_bucket(cls, value: str | None) -> str | None:
        if value and (urlsplit(value)._replace(scheme="", netloc="").geturl() or "@" in value):
            raise ValueError(
                "must be the address alone: the bucket is R2_BUCKET's, the keys have settings too"
            )
        return value

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value

    @field_validator("secret_key")
    @classmethod
    def _has_no_gap(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not all(key.strip() for key in value.get_secret_value().split(",")):
            raise ValueError("one of the keys between the commas is empty")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, value: SecretStr | None) -> SecretStr | None:
        if value:
            url = urlsplit(value.get_secret_value())
            if url.scheme not in {"smtp", "smtps"} or not url.hostname:
                raise ValueError("must look like smtp://user:password@host:587 or smtps://host")
        return value

    @field_validator("mail_from")
    @classmethod
    def _is_sender(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"[^@\r\n]+@[^@\s]+", value):
            raise ValueError("must be an address, or a name with one: NanoBanana <hello@example.com>")
        return value

    @model_validator(mode="before")
    @classmethod
    def _production_has_ceilings(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Where development has none."""
        ceilings = {"free_accounts_per_subnet_per_day": 20, "free_images_per_day": 2_000}
        return {**ceilings, **values} if values.get("environment") == "production" else values

    @model_validator(mode="before")
    @classmethod
    def _bucket_is_used(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Not before somebody has said what becomes of pictures in the folder: links to them would end, and the purge would
        forget them where they lie."""
        if not values.get("r2_bucket") or values.get("image_store"):
            return values
        folder = _image_dir(Path(values.get("data_dir") or cls.model_fields["data_dir"].default))
        if any(file.suffix in _PICTURES for file in folder.rglob("*.*")):
            raise ValueError(
                f"R2_BUCKET is set, but pictures lie in {folder}. To take them along set IMAGE_STORE=local, run "
                "`nanobanana images move --to s3`, then set IMAGE_STORE=s3; to forget them set that at once"
            )
        return {**values, "image_store": "s3"}

    @model_validator(mode="after")
    def _bucket_is_complete(self) -> Self:
        if self.image_store == "s3":
            needed = ("r2_endpoint", "r2_bucket", "r2_access_key_id", "r2_secret_access_key")
            if missing := [name.upper() for name in needed if not getattr(self, name)]:
                raise ValueError(f"IMAGE_STORE=s3 needs {', '.join(missing)}")
        elif not self.r2_bucket:
            others = ("r2_endpoint", "r2_access_key_id", "r2_secret_access_key", "r2_public_url")
            if set_by_hand := [name.upper() for name in others if getattr(self, name)]:
                raise ValueError(f"{', '.join(set_by_hand)} without R2_BUCKET: no bucket is used")
        return self

    @model_validator(mode="after")
    def _mail_has_a_sender(self) -> Self:
        if self.smtp_url and not self.mail_from:
            raise ValueError("SMTP_URL needs MAIL_FROM")
        return self

    @model_validator(mode="after")
    def _production_is_complete(self) -> Self:
        if self.environment == "production":
            needed = {
                "PUBLIC_URL": self.public_url,
                "SECRET_KEY": self.secret_key,
                "GEMINI_API_KEY": self.has_google,
            }
            missing = [name for name, value in needed.items() if not value]
            if missing:
                raise ValueError(f"ENVIRONMENT=production needs {', '.join(missing)}")
        if not self.gemini_models:
            raise ValueError("GEMINI_MODELS names no model")
        return self

    @model_validator(mode="after")
    def _vertex_has_its_library(self) -> Self:
        if self.vertex_project and not (find_spec("google") and find_spec("google.auth")):
            raise ValueError("VERTEX_PROJECT needs google-auth: pip install 'nanobanana[vertex]'")
        return self

    @property
    def has_google(self) -> bool:
        """Whether there is an account for it."""
        return bool(self.gemini_api_key or self.gemini_standby_api_key or self.vertex_project)

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The first hashes, all of them verify."""
        keys = self.secret_key.get_secret_value().split(",") if self.secret_key else []
        return tuple(key.strip() for key in keys)

    @property
    def base_url(self) -> str:
        """How links begin where no request tells."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def is_https(self) -> bool:
        """Whether people come over https, as far as we are told."""
        return urlsplit(self.public_url or "").scheme == "https"

    @property
    def verifies_addresses(self) -> bool:
        """Whether registering takes a code from a mail."""
        return self.smtp_url is not None

    @property
    def image_dir(self) -> Path:
        return _image_dir(self.data_dir)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, _SecretFiles(settings_cls)


def _image_dir(data_dir: Path) -> Path:
    return data_dir / "images"


class _SecretFiles(PydanticBaseSettingsSource):
    """Reads `NAME` from the file that `NAME_FILE` names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        del field
        path = os.environ.get(f"{field_name.upper()}_FILE")
        return (Path(path).read_text().strip() or None if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        values = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in values.items() if value is not None}
