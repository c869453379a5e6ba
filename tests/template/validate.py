"""Validates template.yaml and the templates of its nested stacks as AWS would see them, without AWS: the SAM translator, then cfn-lint on
what comes out, then our own counts. The same again for templates of all functions that are planned, so that their room is known.

usage: validate.py GENERATE   (the program `generate`; run from the workspace's root, in the virtual environment of requirements.txt)
"""

import copy
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

REGION = "sa-east-1"
PLANNED = Path(__file__).with_name("planned.json")
MOST_RESOURCES = 450  # CloudFormation stops at 500 for each stack
MOST_ROUTES = 280  # API Gateway stops at 300 for each API
MOST_PARAMETERS = 200
MOST_MAPPINGS = 200  # of more than one segment, for the domain
MOST_QUEUES = 24  # Lambda asks each of them all the time, whether it holds anything or not
LONGEST_TEMPLATE = 1_000_000  # bytes, in a bucket
LONGEST_ENVIRONMENT = 4_096  # bytes, of all names and values
LONGEST_VALUE = 120  # what a reference may become: the longest are the URLs of sockets
METHODS = {"get", "post", "put", "patch", "delete"}
FUNCTION = "AWS::Serverless::Function"
HTTP_API = "AWS::Serverless::HttpApi"
STACK = "AWS::CloudFormation::Stack"


class Template:
    """One stack's template, as written and as SAM expands it."""

    def __init__(self, path):
        self.path = path
        self.content = yaml_parse(path.read_text(encoding="utf-8"))
        self.expanded = None

    def of_type(self, kind):
        resources = self.content["Resources"].items()
        return {name: each.get("Properties", {}) for name, each in resources if each["Type"] == kind}

    def expand(self):
        """Makes the CloudFormation template of it."""
        content = copy.deepcopy(self.content)
        for resource in content["Resources"].values():
            if resource["Type"] == FUNCTION:
                resource["Properties"]["CodeUri"] = "s3://placeholder-bucket/function.zip"
            if resource["Type"] == STACK:
                resource["Properties"]["TemplateURL"] = "https://placeholder-bucket.s3.amazonaws.com/stack.yaml"
        session = boto3.session.Session(region_name=REGION)
        parameters = {name: each["Default"] for name, each in content["Parameters"].items() if "Default" in each}
        translator = Translator({}, Parser(), boto_session=session)
        self.expanded = translator.translate(content, parameters, feature_toggle=None, passthrough_metadata=True)
        translator.metrics.publish()  # to nobody; it complains of what is not published

    def routes(self, api):
        paths = self.of_type(HTTP_API)[api]["DefinitionBody"].get("paths") or {}
        return [(method, path) for path, methods in paths.items() for method in methods if method in METHODS]

    def mappings(self):
        """Each key under which an API of this stack answers, with the API."""
        for properties in self.of_type("AWS::ApiGatewayV2::ApiMapping").values():
            yield properties.get("ApiMappingKey", ""), properties["ApiId"]["Ref"]

    def summary(self):
        bytes_ = max(self.path.stat().st_size, len(json.dumps(self.expanded)))
        counts = [f"{len(self.expanded['Resources'])} resources", f"{len(self.of_type(FUNCTION))} functions", f"{bytes_ // 1000} kB"]
        apis = {api: len(self.routes(api)) for api in self.of_type(HTTP_API)}
        if apis:
            counts.append(f"{len(apis)} APIs, the largest with {max(apis.values())} routes")
        return f"{self.path.name}: " + ", ".join(counts)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    problems, templates = validate(Path("template.yaml"), as_written=True)
    problems += check_binaries(templates)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], "--planned", PLANNED, "--into", folder], check=True, stdout=subprocess.DEVNULL)
        planned_problems, planned = validate(Path(folder) / "template.yaml", as_written=False)
        problems += [f"planned: {problem}" for problem in planned_problems]
        for problem in problems:
            print(f"template: {problem}", file=sys.stderr)
        if problems:
            sys.exit(f"template: {len(problems)} problems")
        for title, stacks in [("now", templates), ("planned", planned)]:
            print(f"{title}, {sum(len(stack.of_type(FUNCTION)) for stack in stacks)} functions:")
            for stack in stacks:
                print(f"  {stack.summary()}")
    print(f"template: valid; at most {MOST_RESOURCES} resources for each stack, {MOST_ROUTES} routes for each API")


def validate(path, as_written):
    """All problems of a template and those nested in it, and the templates."""
    root = Template(path)
    templates = [root] + [Template(path.parent / properties["TemplateURL"]) for properties in root.of_type(STACK).values()]
    problems = []
    for template in templates:
        try:
            template.expand()
        except Exception as error:  # the translator raises many kinds, each with its own text
            problems.append(f"{template.path.name}: the translator refuses it: {getattr(error, 'message', error)} {causes(error)}")
    if problems:
        return problems, templates
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        checks = []
        for template in templates:
            # As written a role seems to depend on its functions through the socket API; expanded it does not, and real circles show there.
            if as_written:
                checks.append(pool.submit(lint, template.path, template.path.name, "E3004"))
            # W2001: the translator has put the parameters' values in place, so that some are no longer used.
            expanded = Path(folder) / template.path.with_suffix(".json").name
            expanded.write_text(json.dumps(template.expanded, indent=1), encoding="utf-8")
            checks.append(pool.submit(lint, expanded, f"{template.path.name}, expanded", "W2001"))
        for check in checks:
            problems += check.result()
    for template in templates:
        problems += [f"{template.path.name}: {problem}" for problem in [*check_counts(template), *check_intrinsics(template)]]
    problems += check_nested(root, templates[1:])
    problems += check_routes(templates)
    problems += check_queues(root, templates)
    return problems, templates


def causes(error):
    return "; ".join(str(getattr(cause, "message", cause)) for cause in getattr(error, "causes", []) or [])


def lint(path, title, ignored):
    """cfn-lint's findings."""
    command = [Path(sys.executable).with_name("cfn-lint"), "-r", REGION, "--format", "parseable", "-i", ignored, "--", path]
    run = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "AWS_DEFAULT_REGION": REGION}, check=False)
    return [f"{title}: {line}" for line in (run.stdout + run.stderr).splitlines() if line.strip()]


def check_counts(template):
    resources = len(template.expanded["Resources"])
    if resources > MOST_RESOURCES:
        yield f"{resources} resources, at most {MOST_RESOURCES}"
    if len(template.content["Parameters"]) > MOST_PARAMETERS:
        yield f"{len(template.content['Parameters'])} parameters, at most {MOST_PARAMETERS}"
    for api in template.of_type(HTTP_API):
        if len(template.routes(api)) > MOST_ROUTES:
            yield f"{len(template.routes(api))} routes on {api}, at most {MOST_ROUTES}"
    length = max(template.path.stat().st_size, len(json.dumps(template.expanded)))
    if length > LONGEST_TEMPLATE:
        yield f"{length} bytes, at most {LONGEST_TEMPLATE}"
    for name, properties in template.of_type(FUNCTION).items():
        variables = properties["Environment"]["Variables"]
        length = sum(len(name) + (len(value) if isinstance(value, str) else LONGEST_VALUE) for name, value in variables.items())
        if length > LONGEST_ENVIRONMENT:
            yield f"the environment of {name} may take {length} bytes, at most {LONGEST_ENVIRONMENT}"


def check_nested(root, nested):
    """A stack gets exactly the parameters it declares."""
    for name, template in zip(root.of_type(STACK), nested):
        given = set(root.of_type(STACK)[name].get("Parameters", {}))
        declared = set(template.content["Parameters"])
        for parameter in sorted(given ^ declared):
            yield f"{name}: the parameter {parameter} is {'not declared' if parameter in given else 'not given'}"


def check_routes(templates):
    """API Gateway chooses the API by the longest key of the domain's mappings and its route by the shape of the rest."""
    keys, taken = {}, {}
    for template in templates:
        for key, api in template.mappings():
            if key in keys:
                yield f"the mapping {key!r} leads to {keys[key]} and to {api}"
            keys[key] = api
    if sum("/" in key for key in keys) > MOST_MAPPINGS:
        yield f"{sum('/' in key for key in keys)} mappings of more than one segment, at most {MOST_MAPPINGS}"
    for template in templates:
        for api in template.of_type(HTTP_API):
            own = [key for key, mapped in keys.items() if mapped == api]
            if not own:
                yield f"no mapping leads to {api}"
            for key in own:
                for method, path in template.routes(api):
                    whole = f"/{key}{path}".replace("//", "/").rstrip("/")
                    chosen = max((other for other in keys if other == "" or f"{whole}/".startswith(f"/{other}/")), key=len)
                    if keys[chosen] != api:
                        yield f"{method} {whole} of {api} is served by {keys[chosen]}"
                    route = (method, re.sub(r"{[^}]*}", "{}", whole))
                    if route in taken:
                        yield f"{method} {whole} is on {api} and on {taken[route]}"
                    taken[route] = api
        for api, properties in template.of_type("AWS::Serverless::WebSocketApi").items():
            for key in properties["Routes"]:
                if not re.fullmatch(r"\$(connect|disconnect|default)|[a-zA-Z0-9]+", key):
                    yield f"{api} has the route key {key}: only letters and digits"


def check_binaries(templates):
    """Each function is a binary under functions/, and each binary a function."""
    run = subprocess.run(["cargo", "metadata", "--no-deps", "--format-version", "1"], capture_output=True, text=True, check=True)
    metadata = json.loads(run.stdout)
    root = Path(metadata["workspace_root"])
    packages = [package for package in metadata["packages"] if package["manifest_path"].startswith(str(root / "functions") + os.sep)]
    targets = [(package["name"], target["name"]) for package in packages for target in package["targets"] if "bin" in target["kind"]]
    # The program with the name of its domain is for development.
    binaries = {name for domain, name in targets if name != domain}
    declared = set()
    for template in templates:
        for name, properties in template.of_type(FUNCTION).items():
            code = (template.path.parent / properties["CodeUri"]).resolve()
            if code.parent != root / "target/lambda":
                yield f"{name} is not in target/lambda but in {code.parent}"
            declared.add(code.name)
    for binary in sorted(binaries ^ declared):
        yield f"the {'function' if binary in declared else 'binary'} {binary} stands alone: run `make generate`"


def check_queues(root, templates):
    """A message must not come back while its function may still work on it."""
    queues, fed = root.of_type("AWS::SQS::Queue"), set()
    for stack, template in zip([None, *root.of_type(STACK).values()], templates):
        default = template.content["Globals"]["Function"]["Timeout"]
        for name, properties in template.of_type(FUNCTION).items():
            for event in properties.get("Events", {}).values():
                if event["Type"] != "SQS":
                    continue
                queue = stack["Parameters"][event["Properties"]["Queue"]["Ref"]]["Fn::GetAtt"]
                queue = queue[0] if isinstance(queue, list) else queue.split(".")[0]
                fed.add(queue)
                timeout = properties.get("Timeout", default)
                # Lambda may hold a job back; a message without a dead-letter queue is better told twice than late. A turn of the bot that
                # was killed has a client waiting: its message only wakes, and one that comes early finds the job leased.
                is_patient = "RedrivePolicy" in queues[queue] and queue != "BotQueue"
                least = 6 * timeout if is_patient else timeout + 1
                if queues[queue].get("VisibilityTimeout", 30) < least:
                    yield f"{queue} needs a visibility time-out of at least {least} seconds for {name}"
    if len(fed) > MOST_QUEUES:
        yield f"{len(fed)} queues with a worker, at most {MOST_QUEUES}"


def check_intrinsics(template):
    """`local` reads Ref, GetAtt, Sub and Join only."""
    if "Conditions" in template.content:
        yield "has Conditions, which local cannot read"
    readable = ("Fn::GetAtt", "Fn::Sub", "Fn::Join")

    def walk(value, place):
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from walk(item, f"{place}[{index}]")
        elif isinstance(value, dict):
            for key, item in value.items():
                if key == "Condition" and isinstance(item, str) or key.startswith("Fn::") and key not in readable:
                    yield f"{place} uses {key}, which local cannot read"
                yield from walk(item, f"{place}.{key}")

    yield from walk(template.content["Resources"], "Resources")


if __name__ == "__main__":
    main()
