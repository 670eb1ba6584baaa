"""`antrian admin`."""

from broker.logs import configure_logs
from broker.settings import load_settings


def admin() -> None:
    """Serve the HTTP API and the dashboard. SIGTERM ends it properly."""
    # Imported late: every other command of the command line would wait for the web framework.
    from admin_api.web.process import AdminProcess  # noqa: PLC0415

    settings = load_settings()
    configure_logs(settings.antrian_log_format, settings.antrian_log_level)
    AdminProcess(settings).run()
