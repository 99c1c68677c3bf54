# SPDX-License-Identifier: Apache-2.0
"""As much of JSON Schema as our own schemas use; what it does not know is an error, not a pass."""

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float)}
KNOWN = {"$schema", "title", "description", "type", "additionalProperties", "required", "properties", "items", "minimum", "const", "enum", "$ref", "$defs"}


def problems_of(value, schema, path="report", root=None):
    """What is wrong, one text each. References are "#/$defs/NAME" and go to the whole schema, `root`."""
    root = schema if root is None else root
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    unknown = set(schema) - KNOWN
    if unknown or schema.get("additionalProperties", False):
        return [f"{path}: the schema uses what this checker does not know: {sorted(unknown) or 'additionalProperties'}"]
    if "const" in schema and value != schema["const"]:
        return [f"{path}: {value!r} is not {schema['const']!r}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path}: {value!r} is none of {schema['enum']}"]
    if "type" in schema and (not isinstance(value, TYPES[schema["type"]]) or isinstance(value, bool)):
        return [f"{path}: {value!r} is no {schema['type']}"]
    if "minimum" in schema and value < schema["minimum"]:
        return [f"{path}: {value} is less than {schema['minimum']}"]
    found = []
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        found += [f"{path}: has no {key}" for key in schema.get("required", []) if key not in value]
        found += [f"{path}: has a {key}, which the schema does not" for key in value if key not in properties]
        for key in value.keys() & properties.keys():
            found += problems_of(value[key], properties[key], f"{path}.{key}", root)
    if isinstance(value, list):
        for i, item in enumerate(value):
            found += problems_of(item, schema.get("items", {}), f"{path}[{i}]", root)
    return found
