"""DES, the one block cipher RFB's password scheme knows (FIPS 46-3). Bits are strings: eight blocks need no speed."""

OBFUSCATION_KEY = bytes([0xE8, 0x4A, 0xD6, 0x60, 0xC4, 0x72, 0x1A, 0xE0])
INITIAL = [first - 8 * column for first in (58, 60, 62, 64, 57, 59, 61, 63) for column in range(8)]
EXPANSION = [(4 * row + column - 1) % 32 + 1 for row in range(8) for column in range(6)]
PERMUTATION = [16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
               2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25]
CHOICE_1 = [57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
            63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4]
CHOICE_2 = [14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
            41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32]
BOXES = (
    "e4d12fb83a6c5907 0f74e2d1a6cb9538 41e8d62bfc973a50 fc8249175b3ea06d",
    "f18e6b34972dc05a 3d47f28ec01a69b5 0e7ba4d158c6932f d8a13f42b67c05e9",
    "a09e63f51dc7b428 d709346a285ecbf1 d6498f30b12c5ae7 1ad069874fe3b52c",
    "7de3069a1285bc4f d8b56f03472c1ae9 a690cb7df13e5284 3f06a1d8945bc72e",
    "2c417ab6853fd0e9 eb2c47d150fa3986 421bad78f9c5630e b8c71e2d6f09a453",
    "c1af92680d34e75b af427c9561de0b38 9ef528c3704a1db6 432c95fabe17608d",
    "4b2ef08d3c975a61 d0b7491ae35c2f86 14bdc37eaf680592 6bd814a7950fe23c",
    "d2846fb1a93e50c7 1fd8a374c56b0e92 7b419ce206adf358 21e74a8dfc90356b",
)
ROTATIONS = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)


def encrypt(key, block):
    def bits(data):
        return "".join(f"{byte:08b}" for byte in data)

    def pick(table, source):
        return "".join(source[place - 1] for place in table)

    def mix(a, b):
        return f"{int(a, 2) ^ int(b, 2):0{len(a)}b}"

    def box(number, six):
        row = BOXES[number].split()[int(six[0] + six[5], 2)]
        return f"{int(row[int(six[1:5], 2)], 16):04b}"

    chosen = pick(CHOICE_1, bits(key))
    left_key, right_key = chosen[:28], chosen[28:]
    mixed = pick(INITIAL, bits(block))
    left, right = mixed[:32], mixed[32:]
    for turn in ROTATIONS:
        left_key, right_key = left_key[turn:] + left_key[:turn], right_key[turn:] + right_key[:turn]
        wide = mix(pick(EXPANSION, right), pick(CHOICE_2, left_key + right_key))
        boxed = "".join(box(number, wide[6 * number:6 * number + 6]) for number in range(8))
        left, right = right, mix(left, pick(PERMUTATION, boxed))
    joined = right + left
    final = "".join(joined[INITIAL.index(place)] for place in range(1, 65))
    return int(final, 2).to_bytes(8, "big")


def reversed_bits(data):
    """RFB takes a password's bytes with their bits the other way round."""
    return bytes(int(f"{byte:08b}"[::-1], 2) for byte in data)


def obfuscated(password):
    """The content of a VNC password file."""
    return encrypt(OBFUSCATION_KEY, password.ljust(8, b"\0")[:8])
