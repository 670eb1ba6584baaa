"""What every dashboard has around its panels: the choices at its top, its times, its links, its rows."""

from collections.abc import Iterable

from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery,
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    QueryVariable,
    Row,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from panels import RED, SOURCE, Panel

#: All of Antrian's dashboards carry it, and link to each other by it.
TAG = "antrian"


def page(uid: str, title: str, about: str) -> Dashboard:
    """An empty dashboard."""
    links = DashboardLink("Antrian").type(DashboardLinkType.DASHBOARDS).tags([TAG])
    links = links.keep_time(keep_time=True).include_vars(include_vars=True)
    made = Dashboard(title).uid(uid).description(about).tags([TAG]).readonly().link(links)
    made = made.time("now-1h", "now").refresh("10s").tooltip(DashboardCursorSync.CROSSHAIR).timezone("browser")
    return made.with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))


def choice(name: str, label: str, query: str) -> QueryVariable:
    """A choice of label values at the top of the page; all of them at first."""
    everything = VariableOption(selected=True, text=["All"], value=["$__all"])
    chosen = QueryVariable(name).label(label).datasource(SOURCE).query({"query": query, "refId": name})
    chosen = chosen.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)
    return chosen.multi(multi=True).include_all(include_all=True).all_value(".*").current(everything)


def looked_up(name: str, query: str) -> QueryVariable:
    """A value that titles mention; nobody chooses it."""
    found = QueryVariable(name).datasource(SOURCE).query({"query": query, "refId": name})
    found = found.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).hide(VariableHide.HIDE_VARIABLE)
    return found.regex(r"/ ([0-9.]+) /")


def marks(name: str, query: str) -> AnnotationQuery:
    """Vertical lines in all charts, wherever the query has a value."""
    return AnnotationQuery().name(name).datasource(SOURCE).expr(query).enable(enable=True).icon_color(RED)


def row(dashboard: Dashboard, title: str, panels: Iterable[Panel]) -> Dashboard:
    """Add a row with its panels, left to right."""
    dashboard = dashboard.with_row(Row(title))
    for panel in panels:
        dashboard = dashboard.with_panel(panel)
    return dashboard
