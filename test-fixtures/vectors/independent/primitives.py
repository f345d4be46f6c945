"""Sections 1 and 8 of the protocol's text: keys, Bech32, key derivation, Merkle trees."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
SMALL_ORDER_Y = {
    0,
    1,
    P - 1,
    2707385501144840649318225287225658788936804267575313519463743609750303402022,
    55188659117513257062467267217118295137698188065244968500265048394206261417927,
}
LOW_ORDER_U = {
    0,
    1,
    P - 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723061780553021112529911719440698176882885853963445705823,
}


class Refused(Exception):
    """The first rule broken, by its code."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def key_id(public_key):
    return sha256(public_key).hex()[:16]


def encoding_problem(public_key):
    y = int.from_bytes(public_key, "little") & (2**255 - 1)
    if y >= P:
        return "keys/non-canonical"
    return "keys/small-order" if y in SMALL_ORDER_Y else None


def require_sound(public_key):
    problem = encoding_problem(public_key)
    if problem is not None:
        raise Refused(problem)
    y2 = pow(int.from_bytes(public_key, "little") & (2**255 - 1), 2, P)
    if pow((y2 - 1) * (D * y2 + 1), (P - 1) // 2, P) != 1:
        raise Refused("keys/not-on-curve")


def verifies(public_key, message, signature):
    if encoding_problem(public_key) is not None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        return True
    except (InvalidSignature, ValueError):
        return False


def public_key_of(seed):
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign(seed, message):
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def hkdf(secret, salt, info):
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=info).derive(secret)


def request_key_seed(owner_seed, agency, request_hash):
    return hkdf(owner_seed, b"", b"latchkey/receipt/v1" + agency.encode() + bytes.fromhex(request_hash))


BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32_polymod(values):
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    return check


def bech32_decode(prefix, text):
    """The bytes under a lower-case prefix, or None."""
    if not text.startswith(prefix + "1"):
        return None
    words = [BECH32.find(letter) for letter in text[len(prefix) + 1 :]]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    if -1 in words or len(words) < 6 or bech32_polymod(expanded + words) != 1:
        return None
    words = words[:-6]
    number = 0
    for word in words:
        number = number << 5 | word
    spare = len(words) * 5 % 8
    if spare >= 5 or number & ((1 << spare) - 1):
        return None
    return (number >> spare).to_bytes(len(words) * 5 // 8, "big")


def recipient_bytes(recipient):
    raw = bech32_decode("age", recipient) if len(recipient) == 62 else None
    if raw is None or len(raw) != 32:
        raise Refused("keys/recipient-malformed")
    return raw


def require_sound_recipient(recipient):
    u = int.from_bytes(recipient_bytes(recipient), "little")
    if u >= P or u in LOW_ORDER_U:
        raise Refused("keys/recipient-low-order")


def leaf_hash(salt, track, fragment):
    return sha256(b"\x00", salt, bytes([track]), sha256(fragment))


def tree_root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01", tree_root(leaves[:split]), tree_root(leaves[split:]))


def is_in_tree(root, size, index, leaf, path):
    """RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    fn, sn, current = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            current = sha256(b"\x01", sibling, current)
            while not fn & 1 and fn != 0:
                fn >>= 1
                sn >>= 1
        else:
            current = sha256(b"\x01", current, sibling)
        fn >>= 1
        sn >>= 1
    return sn == 0 and current == root
