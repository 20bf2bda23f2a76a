"""What is done to backups, each with the verdicts that are true of it. Ransomware's ways are re-enacted with real ciphers."""

import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

MIB = 1 << 20
NOTE = b"""~~~ Your files have been encrypted and your data is stolen ~~~

To get the decryption tool, pay in bitcoin. Use the Tor Browser:
http://example0000000000000000000000000000000000000000000000000.onion
Your ID: 7A1F03D2. Do not rename files, do not try to recover them by yourself.
"""

ENCRYPTED = {"ENCRYPTED_TOTAL", "ENCRYPTED_PARTIAL"}
BROKEN = {"CORRUPT", "PARTIAL", "TAMPERED"}


def aes(key, data):
    """AES-256-CTR, as LockBit, Conti and most others end up with (they differ in how keys are kept, not in the bytes)."""
    cipher = Cipher(algorithms.AES(hashlib.sha256(key).digest()), modes.CTR(hashlib.md5(key).digest())).encryptor()
    return cipher.update(data) + cipher.finalize()


def chacha(key, data):
    """ChaCha20, as BlackCat and Babuk use."""
    cipher = Cipher(algorithms.ChaCha20(hashlib.sha256(key).digest(), hashlib.md5(key).digest()), mode=None).encryptor()
    return cipher.update(data)


def stretches(data, key, on, off, cipher=aes):
    stream = cipher(key, bytes(len(data)))
    out = bytearray(data)
    for at in range(0, len(data), on + off):
        end = min(at + on, len(data))
        out[at:end] = (int.from_bytes(data[at:end], "big") ^ int.from_bytes(stream[at:end], "big")).to_bytes(end - at, "big")
    return bytes(out)


def total(data, key, rng):
    return aes(key, data)


def head_4k(data, key, rng):
    return aes(key, data[:4096]) + data[4096:]


def head_half(data, key, rng):
    half = len(data) // 2
    return chacha(key, data[:half]) + data[half:]


def tail_4k(data, key, rng):
    return data[:-4096] + aes(key, data[-4096:])


def middle(data, key, rng):
    at = len(data) // 3
    return data[:at] + aes(key, data[at:at + 8192]) + data[at + 8192:]


def every_16(data, key, rng):
    """LockFile: every other 16 bytes."""
    return stretches(data, key, 16, 16)


def every_64(data, key, rng):
    return stretches(data, key, 16, 48)


def every_mib(data, key, rng):
    return stretches(data, key, MIB, MIB)


def dots(data, key, rng):
    """BlackCat's DotPattern: short stretches far apart, in every tenth of the file."""
    return stretches(data, key, 512, max(512, len(data) // 10 - 512), chacha)


def truncated(data, key, rng):
    return data[:len(data) * 7 // 10]


def truncated_little(data, key, rng):
    return data[:-10]


def zero_block(data, key, rng):
    at = len(data) // 2 // 512 * 512
    return data[:at] + bytes(min(4096, len(data) - at)) + data[at + 4096:]


def zero_head(data, key, rng):
    return bytes(512) + data[512:]


def zero_tail(data, key, rng):
    size = len(data) // 4
    return data[:-size] + bytes(size)


def all_zero(data, key, rng):
    return bytes(len(data))


def one_bit(data, key, rng):
    out = bytearray(data)
    out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def bit_rot(data, key, rng):
    out = bytearray(data)
    for _ in range(30):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def randomised(data, key, rng):
    return rng.randbytes(len(data))


def swapped(data, key, rng):
    a, b = len(data) // 4 // 512 * 512, len(data) // 2 // 512 * 512
    return data[:a] + data[b:b + 2048] + data[a + 2048:b] + data[a:a + 2048] + data[b + 2048:]


def footer(data, key, rng):
    return data + rng.randbytes(528)


def wiped(data, key, rng):
    return b"X" * len(data)


def emptied(data, key, rng):
    return b""


def openssl_enc(data, key, rng):
    return b"Salted__" + rng.randbytes(8) + aes(key, data)


# name: (function, verdicts that are true, whether formats without checksums may hide it)
CONTENT = {
    "total encryption": (total, ENCRYPTED, False),
    "head 4 KiB encrypted": (head_4k, ENCRYPTED, False),
    "first half encrypted": (head_half, ENCRYPTED, False),
    "tail 4 KiB encrypted": (tail_4k, ENCRYPTED | BROKEN, False),
    "8 KiB in the middle encrypted": (middle, ENCRYPTED | BROKEN, False),
    "every other 16 bytes encrypted": (every_16, ENCRYPTED | BROKEN, False),
    "16 of 64 bytes encrypted": (every_64, ENCRYPTED | BROKEN, False),
    "512 bytes ten times encrypted": (dots, ENCRYPTED | BROKEN, False),
    "cut at 70 %": (truncated, BROKEN | ENCRYPTED, True),
    "last 10 bytes cut": (truncated_little, BROKEN, True),
    "4 KiB zeroed": (zero_block, BROKEN, True),
    "head zeroed": (zero_head, BROKEN, False),
    "last quarter zeroed": (zero_tail, BROKEN, True),
    "all zeroed": (all_zero, BROKEN, False),
    "one bit": (one_bit, BROKEN, True),
    "30 bits": (bit_rot, BROKEN, True),
    "replaced by random": (randomised, ENCRYPTED, False),
    "2 KiB swapped": (swapped, BROKEN | ENCRYPTED | {"NOT_EVALUATED"}, True),
    "footer of 528 bytes": (footer, BROKEN | ENCRYPTED, False),
    "overwritten with X": (wiped, BROKEN, False),
    "emptied": (emptied, BROKEN | {"NOT_EVALUATED"}, False),
    "openssl enc under the old name": (openssl_enc, ENCRYPTED, False),
}

# Several published ways, with their names and notes: (function, extension, note's name, verdicts).
STYLES = {
    "LockBit: head, renamed, note": (head_4k, ".lockbit", "Restore-My-Files.txt", ENCRYPTED),
    "Conti: whole, renamed, note": (total, ".CONTI", "readme.txt", ENCRYPTED),
    "BlackCat: dots, random extension, note": (dots, ".uhwuvzu", "RECOVER-uhwuvzu-FILES.txt", ENCRYPTED | BROKEN),
    "Babuk: first half, renamed, note": (head_half, ".babyk", "How To Restore Your Files.txt", ENCRYPTED),
    "renamed only, note": (lambda data, key, rng: data, ".locked", "README_DECRYPT.txt", {"TAMPERED"}),
}
