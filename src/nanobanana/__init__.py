"""NanoBanana: AI image generation through a dead-simple API."""

__version__ = "0.1.0"
