"""Sections 2 and 3 of the protocol's text: envelopes, and the only byte form of a document."""

import base64
import binascii
import json
import unicodedata
from decimal import Decimal

from fields import has_fields_of
from primitives import Refused, key_id, sha256, sign, verifies, public_key_of

MOST_BYTES = {"grant": (240 * 1024, 160 * 1024)}
USUAL_MOST_BYTES = (48 * 1024, 32 * 1024)
MAX_SAFE = 2**53 - 1
FORBIDDEN = set("\u061c\u200b\u200e\u200f\u2028\u2029\u2060\ufeff")
FORBIDDEN |= {chr(c) for c in [*range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xFFF9, 0xFFFC)]}
FORBIDDEN |= {chr(c) for c in range(0xFDD0, 0xFDF0)}
FORBIDDEN |= {chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF)}


def parse_json(data):
    """Numbers become floats, as in ECMAScript. Raises ValueError."""

    def no_constant(name):
        raise ValueError(name)

    try:
        return json.loads(data.decode("utf-8"), parse_int=float, parse_float=float, parse_constant=no_constant)
    except RecursionError as deep:
        raise ValueError("too deep") from deep


def with_integers(value):
    """Floats that are safe integers as int; everything else as it is."""
    if type(value) is float and value.is_integer() and abs(value) <= MAX_SAFE:
        return int(value)
    if type(value) is list:
        return [with_integers(item) for item in value]
    if type(value) is dict:
        return {name: with_integers(item) for name, item in value.items()}
    return value


def number_text(value):
    """Number::toString of ECMAScript for a finite double."""
    if value == 0:
        return "0"
    if value < 0:
        return "-" + number_text(-value)
    _, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + exponent
    if len(text) <= point <= 21:
        return text + "0" * (point - len(text))
    if 0 < point <= 21:
        return text[:point] + "." + text[point:]
    if -6 < point <= 0:
        return "0." + "0" * -point + text
    mantissa = text[0] + ("." + text[1:] if len(text) > 1 else "")
    return f"{mantissa}e{'+' if point > 0 else '-'}{abs(point - 1)}"


ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def string_text(value):
    escaped = (ESCAPES.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in value)
    return '"' + "".join(escaped) + '"'


def canonical_text(value):
    if value is None or type(value) is bool:
        return {None: "null", True: "true", False: "false"}[value]
    if type(value) is str:
        return string_text(value)
    if type(value) is int:
        return str(value)
    if type(value) is float:
        if value in (float("inf"), float("-inf")):
            raise ValueError("not finite")
        return number_text(value)
    if type(value) is list:
        return "[" + ",".join(map(canonical_text, value)) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(string_text(name) + ":" + canonical_text(value[name]) for name in names) + "}"


def canonical_bytes(value):
    """Raises ValueError (a lone surrogate is a UnicodeEncodeError)."""
    return canonical_text(value).encode("utf-8")


def depth_of(text):
    depth = deepest = 0
    in_string = escaped = False
    for c in text:
        if in_string:
            if escaped:
                escaped = False
            elif c == "\\":
                escaped = True
            elif c == '"':
                in_string = False
        elif c == '"':
            in_string = True
        elif c in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif c in "}]":
            depth -= 1
    return deepest


def require_shape(value):
    if type(value) is float and not (value.is_integer() and abs(value) <= MAX_SAFE):
        raise Refused("payload/not-an-integer")
    if type(value) is list:
        for item in value:
            require_shape(item)
    if type(value) is dict:
        for name, item in value.items():
            if name == "__proto__":
                raise Refused("payload/proto-key")
            require_shape(item)


def require_text(value):
    if type(value) is str:
        if unicodedata.normalize("NFC", value) != value:
            raise Refused("payload/not-nfc")
        if any(c in FORBIDDEN or unicodedata.category(c) == "Cc" for c in value):
            raise Refused("payload/forbidden-character")
    elif type(value) is list:
        for item in value:
            require_text(item)
    elif type(value) is dict:
        for name, item in value.items():
            require_text(name)
            require_text(item)


def most_bytes(kind):
    """Of the envelope and of the payload."""
    return MOST_BYTES.get(kind, USUAL_MOST_BYTES)


def read_payload(kind, data):
    if len(data) > most_bytes(kind)[1]:
        raise Refused("payload/too-large")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("payload/not-utf8") from None
    if depth_of(text) > 8:
        raise Refused("payload/too-deep")
    try:
        value = parse_json(data)
    except ValueError:
        raise Refused("payload/not-json") from None
    try:
        canonical = canonical_bytes(value)
    except ValueError:
        canonical = None
    if canonical != data:
        raise Refused("payload/not-canonical")
    require_shape(value)
    document = with_integers(value)
    if not has_fields_of(kind, document):
        raise Refused("payload/schema")
    require_text(document)
    return document


def from_base64(text):
    try:
        standard = text.replace("-", "+").replace("_", "/")
        data = base64.b64decode(standard.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise Refused("envelope/not-base64") from None
    if text not in (base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()):
        raise Refused("envelope/not-base64")
    return data


def is_text(value, most):
    return type(value) is str and len(value) <= most


def read_envelope(kind, data):
    """(payload bytes, payloadType, signatures); `kind` is the one expected"""
    if len(data) > most_bytes(kind)[0]:
        raise Refused("envelope/too-large")
    try:
        envelope = parse_json(data)
    except ValueError:
        raise Refused("envelope/not-json") from None
    if type(envelope) is not dict or set(envelope) != {"payload", "payloadType", "signatures"}:
        raise Refused("envelope/malformed")
    payload, payload_type, signatures = envelope["payload"], envelope["payloadType"], envelope["signatures"]
    if type(payload) is not str or not is_text(payload_type, 200) or type(signatures) is not list:
        raise Refused("envelope/malformed")
    for signature in signatures:
        if type(signature) is not dict or not {"sig"} <= set(signature) <= {"sig", "keyid"}:
            raise Refused("envelope/malformed")
        if not is_text(signature["sig"], 100) or not is_text(signature.get("keyid", ""), 64):
            raise Refused("envelope/malformed")
    if len(signatures) > 8:
        raise Refused("envelope/too-many-signatures")
    return from_base64(payload), payload_type, [from_base64(signature["sig"]) for signature in signatures]


def type_of(kind):
    return f"application/vnd.latchkey.{kind}.v1+json"


def pre_auth_encoding(payload_type, payload):
    name = payload_type.encode("utf-8", "replace")
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


def open_envelope(kind, data, rules):
    """`rules`: (threshold, keys), the keys of one role each. Gives the document and its hash."""
    seen = set()
    for _, keys in rules:
        if seen & set(keys):
            raise Refused("envelope/key-in-two-roles")
        seen |= set(keys)
    payload, payload_type, signatures = read_envelope(kind, data)
    message = pre_auth_encoding(payload_type, payload)
    for threshold, keys in rules:
        signers = [key for key in set(keys) if any(verifies(key, message, s) for s in signatures)]
        if len(signers) < threshold:
            raise Refused("envelope/not-enough-signers")
    return finish(kind, payload, payload_type)


def peek(kind, data):
    """What stands there, whoever signed it."""
    payload, payload_type, _ = read_envelope(kind, data)
    return finish(kind, payload, payload_type)


def finish(kind, payload, payload_type):
    if payload_type != type_of(kind):
        raise Refused("envelope/wrong-type")
    return read_payload(kind, payload), sha256(payload).hex()


def write_envelope(kind, document, seeds):
    if not has_fields_of(kind, document):
        raise Refused("payload/schema")
    payload = canonical_bytes(document)
    message = pre_auth_encoding(type_of(kind), payload)
    signatures = [
        {"keyid": key_id(public_key_of(seed)), "sig": base64.b64encode(sign(seed, message)).decode()} for seed in seeds
    ]
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": type_of(kind),
        "signatures": signatures,
    }
    return json.dumps(envelope).encode()
