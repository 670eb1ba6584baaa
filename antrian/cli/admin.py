"""`antrian admin`, put together with the doctor, which the admin side itself knows nothing of."""

from antrian.cli.logs import configure_logs
from antrian.domain.settings import load_settings


def admin() -> None:
    """Serve the HTTP API and the dashboard. SIGTERM ends it properly."""
    # Imported late: the help of this command would wait for the web framework.
    from admin_api.process import AdminProcess  # noqa: PLC0415
    from antrian.doctor.examination import Examination  # noqa: PLC0415

    settings = load_settings()
    configure_logs(settings.antrian_log_format, settings.antrian_log_level)
    AdminProcess(settings, Examination).run()
