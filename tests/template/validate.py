"""Validates template.yaml as AWS would see it, without AWS: the SAM translator, then cfn-lint on what comes out, then our own counts.

usage: validate.py [template.yaml]   (run from the workspace's root, in the virtual environment of requirements.txt)
"""

import copy
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

REGION = "sa-east-1"
MOST_RESOURCES = 480  # CloudFormation stops at 500
MOST_ROUTES = 290  # API Gateway stops at 300 for each API
LONGEST_TEMPLATE = 1_000_000  # bytes
LONGEST_ENVIRONMENT = 4_096  # bytes, of all names and values
METHODS = {"get", "post", "put", "patch", "delete"}
FUNCTION = "AWS::Serverless::Function"


def main():
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "template.yaml")
    template = yaml_parse(path.read_text(encoding="utf-8"))
    # As written a role seems to depend on its functions through the socket API; expanded it does not, and real circles show there.
    problems = list(lint(path, "as written", ignored="E3004"))
    stack = None
    try:
        stack = transform(template)
    except Exception as error:  # the translator raises many kinds, each with its own text
        problems.append(f"the translator refuses it: {getattr(error, 'message', error)} {causes(error)}")
    if stack is not None:
        # W2001: the translator has put the parameters' values in place, so that some are no longer used.
        with tempfile.TemporaryDirectory() as folder:
            expanded = Path(folder) / "stack.json"
            expanded.write_text(json.dumps(stack, indent=1), encoding="utf-8")
            problems += lint(expanded, "expanded", ignored="W2001")
        problems += check_counts(path, template, stack)
    problems += check_routes(template)
    problems += check_binaries(template, path.parent)
    problems += check_queues(template)
    problems += check_intrinsics(template)
    for problem in problems:
        print(f"template: {problem}", file=sys.stderr)
    if problems:
        sys.exit(f"template: {len(problems)} problems")
    print(summary(path, template, stack))


def causes(error):
    return "; ".join(str(getattr(cause, "message", cause)) for cause in getattr(error, "causes", []) or [])


def of_type(template, kind):
    return {name: each.get("Properties", {}) for name, each in template["Resources"].items() if each["Type"] == kind}


def transform(template):
    """The CloudFormation template that SAM makes of it."""
    template = copy.deepcopy(template)
    for properties in of_type(template, FUNCTION).values():
        properties["CodeUri"] = "s3://placeholder-bucket/function.zip"
    session = boto3.session.Session(region_name=REGION)
    translator = Translator({}, Parser(), boto_session=session)
    parameters = {name: each["Default"] for name, each in template["Parameters"].items() if "Default" in each}
    return translator.translate(template, parameters, feature_toggle=None, passthrough_metadata=True)


def lint(path, state, ignored):
    """cfn-lint's findings."""
    command = [Path(sys.executable).with_name("cfn-lint"), "-r", REGION, "--format", "parseable", "-i", ignored, "--", path]
    run = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "AWS_DEFAULT_REGION": REGION}, check=False)
    for line in (run.stdout + run.stderr).splitlines():
        if line.strip():
            yield f"{state}: {line}"


def check_counts(path, template, stack):
    resources = len(stack["Resources"])
    if resources > MOST_RESOURCES:
        yield f"{resources} resources, at most {MOST_RESOURCES}"
    routes = len(routes_of(template, "AppApi"))
    if routes > MOST_ROUTES:
        yield f"{routes} routes on AppApi, at most {MOST_ROUTES}"
    if path.stat().st_size > LONGEST_TEMPLATE:
        yield f"{path.stat().st_size} bytes, at most {LONGEST_TEMPLATE}"
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    # What a reference becomes is not known here; the longest are URLs of queues.
    length = sum(len(name) + (len(value) if isinstance(value, str) else 120) for name, value in variables.items())
    if length > LONGEST_ENVIRONMENT:
        yield f"the environment may take {length} bytes, at most {LONGEST_ENVIRONMENT}"


def routes_of(template, api):
    paths = template["Resources"][api]["Properties"]["DefinitionBody"].get("paths") or {}
    return [(method, path) for path, methods in paths.items() for method in methods if method in METHODS]


def check_routes(template):
    """API Gateway tells routes apart by their shape, not by their parameters' names, and all three APIs share a domain."""
    taken = {}
    for api, properties in of_type(template, "AWS::Serverless::HttpApi").items():
        base_paths = properties["Domain"]["BasePath"]
        base = "" if "/" in base_paths else "/" + base_paths[0]
        for method, path in routes_of(template, api):
            route = (method, re.sub(r"{[^}]*}", "{}", base + path))
            if route in taken:
                yield f"{method} {base}{path} is on {api} and on {taken[route]}"
            taken[route] = api
    for api, properties in of_type(template, "AWS::Serverless::WebSocketApi").items():
        for key in properties["Routes"]:
            if not re.fullmatch(r"\$(connect|disconnect|default)|[a-zA-Z0-9]+", key):
                yield f"{api} has the route key {key}: only letters and digits"


def check_binaries(template, folder):
    """Each function is a binary under functions/, and each binary a function."""
    run = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=folder, capture_output=True, text=True, check=True
    )
    metadata = json.loads(run.stdout)
    functions = str(Path(metadata["workspace_root"]) / "functions") + os.sep
    packages = [package for package in metadata["packages"] if package["manifest_path"].startswith(functions)]
    binaries = {target["name"] for package in packages for target in package["targets"] if "bin" in target["kind"]}
    declared = {Path(properties["CodeUri"]).name: name for name, properties in of_type(template, FUNCTION).items()}
    for binary in sorted(binaries - declared.keys()):
        yield f"the binary {binary} has no function: run `make generate`"
    for binary in sorted(declared.keys() - binaries):
        yield f"{declared[binary]} has no binary {binary}: run `make generate`"


def check_queues(template):
    """A message must not come back while its function may still work on it."""
    queues = of_type(template, "AWS::SQS::Queue")
    default = template["Globals"]["Function"]["Timeout"]
    for name, properties in of_type(template, FUNCTION).items():
        for event in properties.get("Events", {}).values():
            if event["Type"] != "SQS":
                continue
            queue = event["Properties"]["Queue"]["Fn::GetAtt"]
            queue = queue[0] if isinstance(queue, list) else queue.split(".")[0]
            least = 6 * properties.get("Timeout", default)
            if queues[queue].get("VisibilityTimeout", 30) < least:
                yield f"{queue} needs a visibility time-out of at least {least} seconds for {name}"


def check_intrinsics(template):
    """`local` reads Ref, GetAtt and Sub only."""
    if "Conditions" in template:
        yield "has Conditions, which local cannot read"

    def walk(value, place):
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from walk(item, f"{place}[{index}]")
        elif isinstance(value, dict):
            for key, item in value.items():
                if key == "Condition" and isinstance(item, str) or key.startswith("Fn::") and key not in ("Fn::GetAtt", "Fn::Sub"):
                    yield f"{place} uses {key}, which local cannot read"
                yield from walk(item, f"{place}.{key}")

    yield from walk(template["Resources"], "Resources")


def summary(path, template, stack):
    apis = of_type(template, "AWS::Serverless::HttpApi")
    routes = ", ".join(f"{len(routes_of(template, api))} on {api}" for api in apis)
    return (
        f"template: valid; {len(of_type(template, FUNCTION))} functions, {len(stack['Resources'])} of {MOST_RESOURCES} resources, "
        f"{path.stat().st_size} bytes; routes: {routes} (at most {MOST_ROUTES})"
    )


if __name__ == "__main__":
    main()
