"""Sections 9 and 10 of the protocol's text: the archive, what a share proves, and the age file around it."""

import hmac
import json
import re
from base64 import b64decode, b64encode
from datetime import datetime, timedelta, timezone

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from checks import check_agency, check_grant, check_lineage, check_manifest, request_rules
from fields import MANIFESTS, PROOFS, media_name
from payloads import open_envelope, parse_json, peek, with_integers
from primitives import Refused, bech32_decode, hkdf, is_in_tree, leaf_hash, sha256

BLOCK = 512
FIXED = {
    "00-README.txt": 64 << 10,
    "10-request.json": 48 << 10,
    "20-grant.json": 240 << 10,
    "30-manifest.json": 8 << 20,
    "31-proofs.json": 64 << 20,
}
STEMS = ("40-video", "41-audio")
NAMES = [*FIXED, *(stem + (f"-{n:02}" if n > 1 else "") + ".mp4" for stem in STEMS for n in range(1, 257))]
PLACE = {name: place for place, name in enumerate(NAMES)}


def most_bytes(name):
    return FIXED.get(name, 4 << 30)


def padded(length):
    if length <= 1 << 20:
        return 1 << 20
    e = length.bit_length() - 1
    step = 1 << (e - (e.bit_length() - 1 + 1))
    return -(-length // step) * step


def header_of(name, size):
    header = bytearray(BLOCK)
    for at, field in (
        (0, name.encode()),
        (100, b"0000644\0"),
        (108, b"0000000\0"),
        (116, b"0000000\0"),
        (124, b"%011o\0" % size),
        (136, b"00000000000\0"),
        (148, b" " * 8),
        (156, b"0"),
        (257, b"ustar\x0000"),
        (329, b"0000000\0"),
        (337, b"0000000\0"),
    ):
        header[at : at + len(field)] = field
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def read_header(header):
    name = header[:100].rstrip(b"\0").decode("latin-1")
    if name not in PLACE:
        raise Refused("archive/bad-name")
    if re.fullmatch(rb"[0-7]{11}\0", header[124:136]) is None:
        raise Refused("archive/bad-header")
    size = int(header[124:135], 8)
    if header != header_of(name, size):
        raise Refused("archive/bad-header")
    if size > most_bytes(name):
        raise Refused("archive/file-too-large")
    return name, size


def is_zero(data):
    return data.count(0) == len(data)


def read_archive(archive):
    files = {}
    at, place = 0, -1
    while at + BLOCK <= len(archive) and not is_zero(archive[at : at + BLOCK]):
        name, size = read_header(archive[at : at + BLOCK])
        if PLACE[name] <= place:
            raise Refused("archive/bad-order")
        place = PLACE[name]
        start, end = at + BLOCK, at + BLOCK + size
        at = end + -size % BLOCK
        if at > len(archive):
            raise Refused("archive/truncated")
        if not is_zero(archive[end:at]):
            raise Refused("archive/bad-padding")
        files[name] = archive[start:end]
    if at + 2 * BLOCK > len(archive):
        raise Refused("archive/truncated")
    if not is_zero(archive[at:]) or len(archive) != padded(at + 2 * BLOCK):
        raise Refused("archive/bad-padding")
    return files


def file_of(files, name):
    if name not in files:
        raise Refused("share/missing-file")
    return files[name]


def json_of(files, name, schema):
    try:
        value = with_integers(parse_json(file_of(files, name)))
    except ValueError:
        raise Refused("share/malformed-file") from None
    if not schema(value):
        raise Refused("share/malformed-file")
    return value


def is_valid(check):
    try:
        check()
        return True
    except Refused:
        return False


def fits(grant, request):
    asked, granted = request["window"], grant["granted"]
    return (
        grant["agency"] == request["agency"]
        and grant["recipient_kid"] == request["recipient_kid"]
        and asked["from"] <= granted["from"]
        and granted["to"] <= asked["to"]
        and grant["terms"]["delete_by_days"] <= request["terms"]["delete_by_days"]
        and grant["terms"]["outcome_due_days"] <= request["terms"]["outcome_due_days"]
        and (grant["terms"]["third_party"] == "none" or request["terms"]["third_party"] == "court_only")
    )


def manifests_of(listed, grant, problems):
    manifests = {}
    for envelope in listed:
        try:
            manifest, manifest_hash = check_manifest(json.dumps(envelope, separators=(",", ":")).encode())
        except Refused:
            problems.add("manifest-signature")
            continue
        if manifest_hash not in grant["manifest_hashes"] or manifest_hash in manifests:
            problems.add("manifest-extra")
        else:
            manifests[manifest_hash] = manifest
    if len(manifests) < len(grant["manifest_hashes"]):
        problems.add("manifest-missing")
    return manifests


def is_recorded(fragment, data, manifest):
    start, end = fragment["offset"], fragment["offset"] + fragment["bytes"]
    leaf = leaf_hash(bytes.fromhex(fragment["salt"]), fragment["track"], data[start:end])
    path = [bytes.fromhex(sibling) for sibling in fragment["path"]]
    return is_in_tree(bytes.fromhex(manifest["root"]), manifest["size"], fragment["index"], leaf, path)


def tiles(fragments, length):
    at = 0
    for fragment in fragments:
        if fragment["offset"] != at:
            return False
        at += fragment["bytes"]
    return at == length


def is_stretch(fragments, manifest):
    if len(fragments) < 2:
        return False
    start = 0
    for track in manifest["tracks"]:
        end = start + track["leaves"]
        if track["id"] == fragments[0]["track"]:
            first = fragments[1]["index"]
            return (
                all(fragment["track"] == track["id"] for fragment in fragments)
                and fragments[0]["index"] == start
                and start < first
                and first + len(fragments) - 1 <= end
                and all(fragment["index"] == first + i for i, fragment in enumerate(fragments[1:]))
            )
        start = end
    return False


def is_unaltered(medium, data, proofs, manifests):
    own = [proof for proof in proofs if proof["name"] == medium["name"]]
    if len(own) != 1 or own[0]["manifest_hash"] not in manifests:
        return False
    manifest, fragments = manifests[own[0]["manifest_hash"]], own[0]["fragments"]
    return (
        tiles(fragments, len(data))
        and is_stretch(fragments, manifest)
        and all(is_recorded(fragment, data, manifest) for fragment in fragments)
    )


def lineage_of(listed, manifests, window_from):
    if not listed:
        return "not-disclosed"
    try:
        said = [check_lineage(json.dumps(envelope, separators=(",", ":")).encode()) for envelope in listed]
    except Refused:
        return "broken"
    month = (datetime.fromtimestamp(0, timezone.utc) + timedelta(seconds=window_from)).strftime("%Y-%m")
    whole = (
        {each["month_key"] for each in said} == {said[0]["month_key"]}
        and all(each["month"] == month for each in said)
        and sorted(each["clip_key"] for each in said) == sorted({manifest["key"] for manifest in manifests})
    )
    return "same-device" if whole else "broken"


def verify_share(files, agency_data=None, roots=(), at=0, own_copy=None):
    """Problems (sorted), the verdict on each medium and the lineage; raises Refused for what can't be read."""
    problems = set()
    request_data = file_of(files, "10-request.json")
    request, request_hash = peek("request", request_data)
    if agency_data is not None:
        rules = request_rules(check_agency(agency_data, roots, at), at)
        if not is_valid(lambda: open_envelope("request", request_data, rules)):
            problems.add("request-signature")
    grant_data = file_of(files, "20-grant.json")
    grant, _ = peek("grant", grant_data)
    is_granted = is_valid(lambda: check_grant(grant_data))
    if not is_granted:
        problems.add("grant-signature")
    hashes = {request_hash} | (set() if own_copy is None else {peek("request", own_copy)[1]})
    if hashes != {grant["request_hash"]}:
        problems.add("request-differs")
    if not fits(grant, request):
        problems.add("grant-beyond-request")
    listed = json_of(files, "30-manifest.json", MANIFESTS)
    manifests = manifests_of(listed["manifests"], grant, problems)
    proofs = json_of(files, "31-proofs.json", PROOFS)["media"]
    media = {}
    for medium in grant["media"]:
        data = files.get(medium["name"])
        as_granted = data is not None and len(data) == medium["bytes"] and sha256(data).hex() == medium["sha256"]
        if medium["kind"] == "derived":
            verdict = "derived"
        else:
            verdict = "unaltered" if as_granted and is_unaltered(medium, data, proofs, manifests) else "altered"
        if data is None:
            problems.add("media-missing")
        elif not as_granted or verdict == "altered":
            problems.add("media-altered")
        media[medium["name"]] = verdict if is_granted else "altered"
    if any(media_name(name) and name not in media for name in files):
        problems.add("media-extra")
    lineage = lineage_of(listed.get("lineage", []), manifests.values(), request["window"]["from"])
    return sorted(problems), media, lineage


def unpadded(text):
    data = b64decode(text + "=" * (-len(text) % 4), validate=True)
    if b64encode(data).decode().rstrip("=") != text:
        raise ValueError("not canonical")
    return data


def open_header(header, identity):
    """The file key, for an identity `AGE-SECRET-KEY-1…`."""
    private = X25519PrivateKey.from_private_bytes(bech32_decode("age-secret-key-", identity.lower()))
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    pattern = rb"age-encryption\.org/v1\n-> X25519 ([A-Za-z0-9+/]{43})\n([A-Za-z0-9+/]{43})\n--- ([A-Za-z0-9+/]{43})\n"
    match = re.fullmatch(pattern, header)
    if match is None:
        raise Refused("age/damaged")
    try:
        ephemeral, wrapped, mac = (unpadded(part.decode()) for part in match.groups())
        shared = private.exchange(X25519PublicKey.from_public_bytes(ephemeral))
    except ValueError:
        raise Refused("age/damaged") from None
    wrapping_key = hkdf(shared, ephemeral + public, b"age-encryption.org/v1/X25519")
    try:
        file_key = ChaCha20Poly1305(wrapping_key).decrypt(bytes(12), wrapped, None)
    except InvalidTag:
        raise Refused("age/wrong-key") from None
    covered = header[: header.rindex(b"---") + 3]
    if not hmac.compare_digest(hmac.digest(hkdf(file_key, b"", b"header"), covered, "sha256"), mac):
        raise Refused("age/damaged")
    return file_key


def open_body(file_key, body):
    key = ChaCha20Poly1305(hkdf(file_key, body[:16], b"payload"))
    sealed = [body[at : at + 65_552] for at in range(16, len(body), 65_552)]
    if not sealed or len(body) < 32:
        raise Refused("age/truncated")
    plain = []
    for counter, chunk in enumerate(sealed):
        is_last = counter == len(sealed) - 1
        nonce = counter.to_bytes(11, "big") + bytes([is_last])
        try:
            plain.append(key.decrypt(nonce, chunk, None))
        except InvalidTag:
            raise Refused("age/damaged") from None
    if plain[-1] == b"" and len(plain) > 1:
        raise Refused("age/damaged")
    return b"".join(plain)
