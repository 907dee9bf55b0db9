"""What the service counts about itself, for Prometheus. `/metrics` adds up all web processes."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("nanobanana_http_requests", "HTTP requests answered", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "nanobanana_http_request_seconds",
    "Seconds from the first byte in to the last byte out",
    ["route"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 5, 10, 20, 40, 60, 90),
)
GENERATIONS = Counter("nanobanana_generations", "Generations settled", ["mode", "outcome"])
STEP_SECONDS = Histogram(
    "nanobanana_generation_step_seconds",
    "Seconds per step of a generation: admit, google, fit, store, settle",
    ["step"],
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2, 5, 10, 20, 40, 80, 160),
)
GOOGLE_CALLS = Counter(
    "nanobanana_google_calls", "Calls to Google by route, by what came of it", ["route", "result"]
)
GOOGLE_RETRIES = Counter(
    "nanobanana_google_retries",
    "Calls to Google that were not the first for their image, by what went before",
    ["route", "cause"],
)
ROUTE_STATE = Gauge(
    "nanobanana_route_state",
    "A model by a route: 0 operational, 1 half-open, 2 open, 3 out",
    ["route", "model"],
    multiprocess_mode="livemax",
)
IN_FLIGHT = Gauge(
    "nanobanana_generations_in_flight", "Generations this service works on now", multiprocess_mode="livesum"
)
BODIES = Gauge(
    "nanobanana_bodies_in_memory",
    "Pictures being fitted and stored",
    multiprocess_mode="livesum",
)
DATABASE_POOL = Gauge(
    "nanobanana_database_pool",
    "Connections to PostgreSQL: open, idle; and callers waiting for one",
    ["kind"],
    multiprocess_mode="livesum",
)
THROTTLED = Counter(
    "nanobanana_throttled", "Sign-ups, logins and the like refused, by the limit that refused them", ["limit"]
)
LIMITED_WITHOUT_REDIS = Counter(
    "nanobanana_limited_without_redis", "Decisions about limits that one process made alone, without Redis"
)
RECONCILIATION_DIFFERENCES = Gauge(
    "nanobanana_reconciliation_differences",
    "Records of money and images that disagreed at the last reconciliation",
    multiprocess_mode="mostrecent",
)
PICTURES_ASTRAY = Gauge(
    "nanobanana_pictures_astray",
    "What the last weekly sweep found: files without rows, rows without files",
    ["kind"],
    multiprocess_mode="mostrecent",
)
STORE_UP = Gauge("nanobanana_store_up", "Whether pictures go to the store", multiprocess_mode="livemin")
WAITING_BYTES = Gauge(
    "nanobanana_waiting_picture_bytes",
    "Pictures that wait in PostgreSQL for the store",
    multiprocess_mode="livemostrecent",
)
REDIS_UP = Gauge("nanobanana_redis_up", "Whether Redis answered the last probe", multiprocess_mode="livemin")
