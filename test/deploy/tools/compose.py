"""Reads the Compose file (JSON) at argv[1] by the specification; ends with 1 and the reason where it is none."""
import sys

from compose_spec import PyCompose

try:
    PyCompose.from_json(open(sys.argv[1], encoding="utf-8").read())
except ValueError as error:
    sys.exit(str(error))
