# fmt: off
"""验证证据包 Is a proof pack whole? Offline: python3 verify_proof.py PACK.json PUBLISHED-KEY [PACK.pdf]"""
import json
import sys
from hashlib import sha256, sha512
from itertools import zip_longest
from pathlib import Path

P, Q = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # Ed25519: RFC 8032, 5.1
D = -121665 * pow(121666, -1, P) % P
BAD = ["被改 was changed", "被抽走 was removed", "是添加的 was added", "换了位置或重复 was moved or repeated"]
def point(raw: bytes) -> tuple[int, ...]:
    sign, y = divmod(int.from_bytes(raw, "little"), 2**255)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    x = x if x % 2 == sign else P - x
    return (x, y, 1, x * y % P) if x * x % P == square else (0, 0, 0, 0)
def add(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    m, n = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    f, g = 2 * (a[2] * b[2] - a[3] * b[3] * D), 2 * (a[2] * b[2] + a[3] * b[3] * D)
    return (n - m) * f % P, g * (n + m) % P, f * g % P, (n - m) * (n + m) % P
def times(n: int, p: tuple[int, ...]) -> tuple[int, ...]:
    return add(times(n // 2, add(p, p)), p if n % 2 else (0, 1, 1, 0)) if n else (0, 1, 1, 0)
def signed(key: bytes, message: bytes, signature: bytes) -> bool:
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    h = int.from_bytes(sha512(r + key + message).digest(), "little") % Q
    base = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    a, c = times(s, base), add(point(r), times(h, point(key)))
    return s < Q and c[2] % P != 0 == (a[0] * c[2] - c[0] * a[2]) % P == (a[1] * c[2] - c[1] * a[2]) % P
def written(said: object) -> bytes:
    return json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True).encode()
def fault(raw: bytes, key: str, pdf: bytes | None = None) -> str:
    pack = json.loads(raw)
    seal, last, rewritten = pack["seal"], "", written(pack) != raw or len(pack) != 3
    if seal["key"] != key or not signed(bytes.fromhex(key), written(seal), bytes.fromhex(pack["signature"])):
        return "封签 seal: 不是这把密钥所签，或签后被改 not signed with this key, or changed since"
    links = [[entry.pop(name, None) for name in ("no", "previous", "hash")] for entry in pack["entries"]]
    found, sealed = [sha256(written(entry)).hexdigest() for entry in pack["entries"]], seal["entries"]
    for no, (was, now, link) in enumerate(zip_longest(sealed, found, links)):
        if was != now:
            return f"第 {no} 条 entry {no} {BAD[2 * (was in [None, *found]) + (now in [None, *sealed])]}"
        if link != [no, last, last := sha256((last + now).encode()).hexdigest()]:
            return f"第 {no} 条 entry {no}: 链断 the chain is broken"
    altered = "" if pdf is None or sha256(pdf).hexdigest() == seal["pdf"] else "PDF: 被改 was changed"
    return "文件 file: 被改写 written anew" if rewritten else altered
if __name__ == "__main__":
    files = [Path(name).read_bytes() for name in sys.argv[1::2]]
    wrong = fault(files[0], sys.argv[2], *files[1:])
    sys.exit(wrong or print("完整 whole"))
