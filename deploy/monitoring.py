"""What template.yaml's dashboard and alarms watch: metrics that docs/operations.md has, which the tests hold against the code."""

import json
import pathlib
import re

from template_model import at, canonical, listed, resolve, takes

DOCUMENT = pathlib.Path(__file__).parent.parent / "docs" / "operations.md"
STACK = {"AWS::StackName": "assistants", "AWS::Region": "eu-west-1"}
NAMESPACE = "AssistantEndpoint/assistants"
# What owners choose, or what there is one of for each of them: as a dimension, each value would be a series that costs money.
CLOSED = {"gen_ai.provider.name", "code", "fault", "area"}
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
ALARMS = (
    "ProviderFailingAlarm", "ProviderAccountAlarm", "StoreUnavailableAlarm", "SlowFirstTextAlarm", "EndpointErrorsAlarm",
    "EndpointThrottlesAlarm", "ManageErrorsAlarm",
)  # fmt: skip
SEARCH = re.compile(r"""SEARCH\('\{(?P<schema>[^}]*)\} MetricName="(?P<name>[^"]*)"'""")


def documented():
    """(metric, names of its dimensions) for each set of dimensions in the document's table."""
    series = set()
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        row = re.fullmatch(r"\| `([^`]+)` \| (?:Count|Seconds) \| ([^|]+) \| .+ \|", line)
        for dimensions in row[2].split(", ") if row else ():
            series.add((row[1], tuple(sorted(re.findall(r"`([^`]+)`", dimensions)))))
    return series


def alarmed(t, name):
    """The series of an alarm, as `documented` has them."""
    properties = resolve(t, at(t, f"Resources/{name}/Properties") or {}, STACK)
    queries = [at(query, "MetricStat/Metric") for query in properties.get("Metrics", [])]
    for metric in [metric for metric in [*queries, properties] if at(metric, "MetricName")]:
        dimensions = [at(dimension, "Name") for dimension in metric.get("Dimensions", [])]
        yield metric.get("Namespace"), (metric["MetricName"], tuple(sorted(dimensions)))


def value_of(expression, values):
    """What CloudWatch's metric math makes of one period's values by their queries' ids; None if a value that it needs is missing."""
    try:
        return eval(expression, {"__builtins__": {}, "IF": lambda condition, one, other: one if condition else other, **values})
    except (NameError, SyntaxError, TypeError):
        return None


def is_red(alarm, periods):
    """Whether an alarm on an expression is red after these periods, of which each is its values by their queries' ids."""
    properties = at(alarm, "Properties") or {}
    expressions = [at(query, "Expression") for query in properties.get("Metrics", []) if query.get("ReturnData", True)]
    if len(expressions) != 1 or len(periods) != properties.get("EvaluationPeriods"):
        return None
    values = [value_of(expressions[0], period) for period in periods]
    breaching = [value is not None and value > properties["Threshold"] for value in values]
    return sum(breaching) >= properties["DatapointsToAlarm"]


# (alarm, what happens in three periods, whether it is red then). A period without a reply has no values at all.
SLOW, FEW, QUIET = {"replies": 20, "p95": 40}, {"replies": 19, "p95": 40}, {}
SCENES = (
    ("SlowFirstTextAlarm", "20 slow replies each", [SLOW, SLOW, SLOW], True),
    ("SlowFirstTextAlarm", "20 slow replies in two of them", [SLOW, QUIET, SLOW], True),
    ("SlowFirstTextAlarm", "20 quick replies each", [{"replies": 20, "p95": 2}] * 3, False),
    ("SlowFirstTextAlarm", "19 slow replies each", [FEW, FEW, FEW], False),
    ("SlowFirstTextAlarm", "no reply at all", [QUIET, QUIET, QUIET], False),
    ("SlowFirstTextAlarm", "a slow evening that ends", [SLOW, QUIET, QUIET], False),
    ("ProviderFailingAlarm", "3 of 20 replies fail", [{"failing": 3, "replies": 20}] * 3, True),
    ("ProviderFailingAlarm", "3 of 100 replies fail", [{"failing": 3, "replies": 100}] * 3, False),
    ("ProviderFailingAlarm", "2 of 2 replies fail", [{"failing": 2, "replies": 2}] * 3, False),
    ("ProviderFailingAlarm", "no reply fails", [{"replies": 20}] * 3, False),
    ("ProviderFailingAlarm", "no reply at all", [QUIET, QUIET, QUIET], False),
)  # fmt: skip


def watched_faults(t):
    """The areas of the faults that alarms watch, by the document's table."""
    areas = dict(re.findall(r"\n\| `([a-z_]+)` \| `([a-z]+)` \| ", DOCUMENT.read_text(encoding="utf-8")))
    for name in ALARMS:
        properties = at(t, f"Resources/{name}/Properties") or {}
        metrics = [at(query, "MetricStat/Metric") or {} for query in properties.get("Metrics", [])]
        for dimension in [dimension for metric in [properties, *metrics] for dimension in metric.get("Dimensions", [])]:
            if dimension["Name"] in ("fault", "area"):
                yield areas.get(dimension["Value"]) if dimension["Name"] == "fault" else dimension["Value"]


def shown(body):
    """The series of a dashboard."""
    for widget in body["widgets"]:
        for metric in at(widget, "properties/metrics") or []:
            if isinstance(metric[0], str):
                namespace, name, *dimensions = [part for part in metric if isinstance(part, str)]
                yield namespace, (name, tuple(sorted(dimensions[::2])))
            else:
                search = SEARCH.search(metric[0]["expression"])
                namespace, *dimensions = search["schema"].replace('"', "").split(",") if search else [None]
                yield namespace, (search["name"] if search else None, tuple(sorted(dimensions)))


def logged():
    """The fields of a reply's line, by the document's table."""
    row = re.search(r"\n\| `reply` \|.+", DOCUMENT.read_text(encoding="utf-8"))
    return set(re.findall(r"`([a-z_]+)`", row[0])) if row else set()


def asked(body):
    """For each question to the log: its log group, and the fields that it names."""
    for query in filter(None, (at(widget, "properties/query") for widget in body["widgets"])):
        source, *commands = query.split(" | ")
        names = re.sub(r"'[^']*'|as \w+|\w+\(|\b(?:filter|stats|and|by|message)\b|(?:sort|limit) .*", " ", "\n".join(commands))
        yield source, set(re.findall(r"[a-z_.]+", names))


def dashboard(t):
    try:
        return json.loads(resolve(t, at(t, "Resources/Dashboard/Properties/DashboardBody"), STACK))
    except (TypeError, ValueError):
        return {"widgets": []}


def undocumented(t):
    """What the runbook lacks, or has too much, as problems of its own: no mutation of the template could show these."""
    headings = re.findall(r"\n### (\w+)\n", DOCUMENT.read_text(encoding="utf-8"))
    alarms = {name for name, resource in t["Resources"].items() if resource.get("Type") == "AWS::CloudWatch::Alarm"}
    return [f"{DOCUMENT.name}: '### {name}' is there for each alarm once, and for nothing else"
            for name in sorted(alarms | set(headings)) if headings.count(name) != 1 or name not in alarms] + [
                f"{DOCUMENT.name}: '{name}' has a dimension that is no closed set"
                for name, dimensions in sorted(documented()) if not set(dimensions) <= CLOSED]  # fmt: skip


def monitoring_checks(t, equal):
    series = documented()
    for name in ALARMS:
        alarm = at(t, f"Resources/{name}")
        own = [found for namespace, found in alarmed(t, name) if namespace == NAMESPACE]
        others = {namespace for namespace, _ in alarmed(t, name)} - {NAMESPACE}
        yield f"{name} watches metrics that there are", bool(own or others) and set(own) <= series and others <= {"AWS/Lambda"}
        properties = f"Resources/{name}/Properties"
        yield equal(f"{properties}/TreatMissingData", "notBreaching")
        datapoints = [at(alarm, f"Properties/{key}") for key in ("DatapointsToAlarm", "EvaluationPeriods")]
        yield f"{name} goes off at once, or in two periods of three", datapoints in ([1, 1], [2, 3])
        for actions in "AlarmActions", "OKActions":
            told = [resolve(t, at(t, f"{properties}/{actions}"), {"AlarmTopicArn": topic}) for topic in ("", TOPIC)]
            yield f"{name}'s {actions} are the topic, where there is one", told == [None, [TOPIC]]
        # On its own, a percentile does not change the alarm's state below 200 samples (p95), or is judged from the first one on:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html, read 2026-12.
        yield equal(f"{properties}/ExtendedStatistic", None)
    for name, scene, periods, expected in SCENES:
        yield f"{name} is {'red' if expected else 'not red'} after three periods: {scene}", is_red(at(t, f"Resources/{name}"), periods) is expected
    yield "no alarm watches an owner's mistakes", set(watched_faults(t)) == {"account", "provider", "store"}
    body = dashboard(t)
    yield "the dashboard has widgets", len(body["widgets"]) == 10
    own = {found for namespace, found in shown(body) if namespace == NAMESPACE}
    others = {namespace for namespace, _ in shown(body)} - {NAMESPACE}
    yield "the dashboard shows metrics that there are", own <= series and others <= {"AWS/Lambda"}
    yield "the dashboard shows every metric", {name for name, _ in own} == {name for name, _ in series}
    questions = list(asked(body))
    yield "the dashboard asks the public function's log", [source for source, _ in questions] == ["SOURCE '<EndpointLogGroup>'"] * 2
    yield "the dashboard asks for fields that a reply's line has", all(names <= logged() for _, names in questions)
    yield "the dashboard has what goes by model", all("model" in names for _, names in questions)
    regions = {at(widget, "properties/region") for widget in listed(body["widgets"])}
    yield "the dashboard is of the stack's region", regions == {"eu-west-1"}
    yield "the dashboard and the alarms name this stack's functions", all(
        "EndpointFunction" in canonical(at(t, f"Resources/{name}")) for name in ("Dashboard", "EndpointErrorsAlarm", "EndpointThrottlesAlarm")
    ) and "ManageFunction" in canonical(at(t, "Resources/ManageErrorsAlarm"))
    url = resolve(t, at(t, "Outputs/DashboardUrl/Value"), STACK) or ""
    yield "DashboardUrl leads to the dashboard", url.startswith("https://eu-west-1.console.aws.amazon.com/") and "<Dashboard>" in url
    yield equal("Outputs/ResponsesTableName/Value", {"Ref": "ResponsesTable"})
    yield equal("Outputs/ResponsesTableName/Condition", "KeepResponses")
    yield equal("Conditions/HasAlarmTopic", {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]})
    yield equal("Parameters/AlarmTopicArn/Default", "")
    yield "AlarmTopicArn is a topic or empty", takes(t, "AlarmTopicArn", {"": True, TOPIC: True, "alarms": False, f"{TOPIC}:x": False})


def monitoring_mutations(delete):
    for name in ALARMS:
        alarm = f"Resources/{name}/Properties"
        yield f"Resources/{name}", delete
        yield f"{alarm}/TreatMissingData", "breaching"
        yield f"{alarm}/EvaluationPeriods", 12
        yield f"{alarm}/ExtendedStatistic", "p95"
        for actions in "AlarmActions", "OKActions":
            yield f"{alarm}/{actions}", [{"Ref": "AlarmTopicArn"}]
            yield f"{alarm}/{actions}", delete
    yield "Resources/SurpriseAlarm", {"Type": "AWS::CloudWatch::Alarm"}
    yield "Resources/ProviderFailingAlarm/Properties/Metrics/1/MetricStat/Metric/MetricName", "Replies"
    yield "Resources/ProviderAccountAlarm/Properties/Dimensions/0/Name", "code"
    yield "Resources/StoreUnavailableAlarm/Properties/Dimensions", delete
    yield "Resources/ProviderAccountAlarm/Properties/Dimensions/0/Value", "owner"
    yield "Resources/ProviderFailingAlarm/Properties/Metrics/1/MetricStat/Metric/Dimensions/0/Value", "not_set_up"
    slow = "Resources/SlowFirstTextAlarm/Properties"
    yield f"{slow}/Metrics/1/MetricStat/Metric/Namespace", "Assistants"
    yield f"{slow}/Metrics/2/MetricStat/Metric/Namespace", "AssistantEndpoint"
    yield f"{slow}/DatapointsToAlarm", 1
    for expression in "p95", "IF(replies > 20, p95, 0)", "IF(replies >= 10, p95, 0)", "100", "IF(replies >= 20, 0, p95)", "IF(":
        yield f"{slow}/Metrics/0/Expression", expression
    for expression in "100 * failing / replies", "IF(failing > 2, failing, 0)", "100":
        yield "Resources/ProviderFailingAlarm/Properties/Metrics/0/Expression", expression
    for name in "EndpointErrorsAlarm", "EndpointThrottlesAlarm", "ManageErrorsAlarm":
        yield f"Resources/{name}/Properties/Dimensions/0/Value", {"Ref": "Other"}
        yield f"Resources/{name}/Properties/Namespace", "AWS/Lambdas"
    yield "Resources/Dashboard", delete
    for body in "{", '{"widgets": []}', '{"widgets": [{"properties": {"metrics": [["AssistantEndpoint/${AWS::StackName}", "Replies"]]}}]}':
        yield "Resources/Dashboard/Properties/DashboardBody", {"Fn::Sub": body}
    for query in "SOURCE '${EndpointLogGroup}' | stats sum(credits) by model", "SOURCE '${ManageLogGroup}' | stats count() by provider":
        yield "Resources/Dashboard/Properties/DashboardBody", {"Fn::Sub": json.dumps({"widgets": [{"properties": {"query": query}}]})}
    for output in "DashboardUrl", "ResponsesTableName", "ResponsesTableName/Condition":
        yield f"Outputs/{output}", delete
    yield "Conditions/HasAlarmTopic/Fn::Not/0/Fn::Equals/0/Ref", "DomainName"
    yield "Parameters/AlarmTopicArn/Default", TOPIC
    yield "Parameters/AlarmTopicArn/AllowedPattern", "^.*$"
