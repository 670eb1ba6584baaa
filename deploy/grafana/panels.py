"""The kinds of panel that the dashboards are made of, each with the look that all of its kind share."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from grafana_foundation_sdk.builders import common as build
from grafana_foundation_sdk.builders import heatmap, stat, statetimeline, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

#: Whatever Prometheus the reader chose at the top of the page.
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")

GREEN, YELLOW, ORANGE, RED, BLUE, GREY, PURPLE = "green", "yellow", "orange", "red", "blue", "#8e8e8e", "purple"

#: Query by legend; a legend may name labels, `{{lane}}`.
Queries = Mapping[str, str]
#: From which value on which colour holds; the first one's value is ignored.
Steps = Sequence[tuple[float, str]]
#: What to write instead of a number, and in which colour.
Words = Mapping[int, tuple[str, str]]

Panel = stat.Panel | timeseries.Panel | statetimeline.Panel | heatmap.Panel
Some = TypeVar("Some", stat.Panel, timeseries.Panel, statetimeline.Panel, heatmap.Panel)


def number(title: str, queries: Queries, *, about: str, width: int, unit: str = "short", steps: Steps) -> stat.Panel:
    """One number now, on a background that says whether it is well."""
    panel = _framed(_queried(stat.Panel(), queries, instant=True), title, about, width, 4)
    panel = panel.unit(unit).decimals(0).thresholds(_thresholds(steps)).no_value("?")
    panel = panel.color_mode(common.BigValueColorMode.BACKGROUND_SOLID).graph_mode(common.BigValueGraphMode.NONE)
    return panel.reduce_options(build.ReduceDataOptions().calcs(["lastNotNull"]))


def word(title: str, queries: Queries, words: Words, *, about: str, width: int) -> stat.Panel:
    """One word now, for a number that stands for it."""
    panel = number(title, queries, about=about, width=width, steps=[(0, GREY)])
    return panel.mappings(_mappings(words)).text_mode(common.BigValueTextMode.VALUE)


def chart(
    title: str, queries: Queries, *, about: str, width: int, unit: str = "short", stacked: bool = False
) -> timeseries.Panel:
    """Lines over time; stacked ones are filled."""
    panel = _framed(_queried(timeseries.Panel(), queries), title, about, width, 8)
    legend = build.VizLegendOptions().show_legend(show_legend=True).display_mode(common.LegendDisplayMode.LIST)
    panel = panel.unit(unit).min(0).line_width(1).legend(legend.placement(common.LegendPlacement.BOTTOM))
    tooltip = build.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)
    panel = panel.tooltip(tooltip).show_points(common.VisibilityMode.NEVER).fill_opacity(30 if stacked else 5)
    mode = common.StackingMode.NORMAL if stacked else common.StackingMode.NONE
    return panel.stacking(build.StackingConfig().mode(mode).group("A"))


def limit(panel: timeseries.Panel, name: str, colour: str = RED) -> timeseries.Panel:
    """Draw the lines whose name matches `name` (a regular expression) as limits: dashed, not filled, not stacked."""
    look = {
        "custom.lineStyle": {"fill": "dash", "dash": [10, 10]},
        "custom.fillOpacity": 0,
        "custom.lineWidth": 2,
        "custom.stacking": {"mode": "none"},
        "color": {"mode": "fixed", "fixedColor": colour},
    }
    return panel.override_by_regexp(name, [DynamicConfigValue(id_val=key, value=value) for key, value in look.items()])


def on_the_right(panel: timeseries.Panel, name: str) -> timeseries.Panel:
    """Give the lines whose name matches an axis of their own: they are numbers, and the others are not."""
    look = {"custom.axisPlacement": "right", "unit": "short"}
    return panel.override_by_regexp(name, [DynamicConfigValue(id_val=key, value=value) for key, value in look.items()])


def coloured(panel: timeseries.Panel, colours: Mapping[str, str]) -> timeseries.Panel:
    """Give lines fixed colours, by a regular expression of their names."""
    for name, colour in colours.items():
        fixed = DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": colour})
        panel = panel.override_by_regexp(name, [fixed])
    return panel


def timeline(title: str, queries: Queries, words: Words, *, about: str, width: int, height: int) -> statetimeline.Panel:
    """Bars over time, coloured by what the number stands for."""
    panel = _framed(_queried(statetimeline.Panel(), queries), title, about, width, height)
    legend = build.VizLegendOptions().show_legend(show_legend=True).display_mode(common.LegendDisplayMode.LIST)
    panel = panel.mappings(_mappings(words)).legend(legend.placement(common.LegendPlacement.BOTTOM))
    panel = (
        panel.thresholds(_thresholds([(0, GREY)]))
        .merge_values(merge_values=True)
        .row_height(0.8)
        .fill_opacity(85)
        .line_width(0)
    )
    return panel.show_value(common.VisibilityMode.NEVER)


def histogram(title: str, query: str, *, about: str, width: int, unit: str = "s") -> heatmap.Panel:
    """How often which bucket was hit, over time; `query` gives one series for each `le`."""
    panel = _framed(heatmap.Panel(), title, about, width, 8)
    panel = panel.with_target(_query(query, "{{le}}", "A").range().format(PromQueryFormat.HEATMAP))
    colour = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(64)
    panel = panel.color(colour).y_axis(heatmap.YAxisConfig().unit(unit)).cell_gap(1).hide_legend()
    return panel.calculate(calculate=False).show_value(common.VisibilityMode.NEVER)


def _framed(panel: Some, title: str, about: str, width: int, height: int) -> Some:
    return panel.title(title).description(about).datasource(SOURCE).span(width).height(height)


def _queried(panel: Some, queries: Queries, *, instant: bool = False) -> Some:
    for letter, (legend, expression) in zip("ABCDEFGH", queries.items(), strict=False):
        query = _query(expression, legend, letter)
        panel = panel.with_target(query.instant() if instant else query.range())
    return panel


def _query(expression: str, legend: str, letter: str) -> Dataquery:
    return Dataquery().datasource(SOURCE).expr(expression).legend_format(legend).ref_id(letter)


def _thresholds(steps: Steps) -> ThresholdsConfig:
    made = [Threshold(None if position == 0 else value, colour) for position, (value, colour) in enumerate(steps)]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(made)


def _mappings(words: Words) -> list[ValueMapping]:
    return [
        ValueMap({str(value): ValueMappingResult(text, colour, index=index)})
        for index, (value, (text, colour)) in enumerate(words.items())
    ]
