"""Renders the chart at argv[1] with the values (JSON) in argv[2] and lints it: {"manifests": …, "messages": …}."""
import json
import sys

from helm_python import Chart, lint

path, values = sys.argv[1], json.loads(sys.argv[2])
chart = Chart.load(path)
chart.validate_schema(values)
report = lint(path, values, strict=True, namespace="gatehouse", quiet=True)
manifests = chart.render(values, name="gatehouse", namespace="gatehouse", is_install=True)
json.dump({"manifests": manifests, "messages": [message["error"] for message in report["messages"] if message["severity"] > 1]}, sys.stdout)
