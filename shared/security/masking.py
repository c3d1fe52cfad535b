"""Sealing personal data, keyed digests, masking (R-36, R-37). Pure but for os.urandom.

What is sealed can be read with its key only; what is digested can be compared but not reversed;
what is masked is gone. Patterns are bounded, so no text can make them slow.
"""

from __future__ import annotations

import hmac
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.errors import ConfigError, JiesuError

SECRET_BYTES, NONCE_BYTES, TAG_BYTES = 32, 12, 16
SUITES = {  # name: (its byte in a seal, cipher, key bytes)
    "aes-256-gcm": (1, algorithms.AES, 32),
    "sm4-gcm": (2, algorithms.SM4, 16),
}
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0 O, 1 I L, U: they are misread aloud
CODE_LENGTH = 8


class SealBroken(JiesuError):
    """A seal does not open: it was changed, or belongs to another key or another ticket."""

    status = 500
    slug = "seal-broken"
    title = "密封数据无法读取 Sealed data cannot be read"


class KeyMissing(SealBroken):
    """A seal names a key that the key ring does not hold."""

    slug = "seal-key-missing"
    title = "密钥环缺少密钥 The key ring lacks the key of this seal"


def _subkey(secret: bytes, purpose: str, length: int = SECRET_BYTES) -> bytes:
    if len(secret) < SECRET_BYTES:
        raise ConfigError(f"a secret must have at least {SECRET_BYTES} bytes")
    return HKDF(SHA256(), length, salt=None, info=b"jiesu " + purpose.encode()).derive(secret)


class Sealer:
    """Seals bytes under the current key and opens whatever any key of the ring sealed.

    A seal is: suite byte, length of the key id, key id, nonce, tag, ciphertext. To rotate, add a
    key and make it current; drop the old one when nothing is sealed under it any more. The suite
    can be changed the same way: each suite has its own key derived from the ring's secret.
    """

    def __init__(self, ring: Mapping[str, bytes], current: str, suite: str = "aes-256-gcm") -> None:
        """Raises ConfigError for an unknown suite, a bad key id or secret, no current key."""
        if suite not in SUITES:
            raise ConfigError(f"unknown suite {suite!r}; one of {', '.join(SUITES)}")
        if current not in ring or not all(0 < len(name.encode()) < 256 for name in ring):
            raise ConfigError(f"the key ring lacks its current key {current!r} or an id is bad")
        self._keys = {
            (mark, name): _subkey(secret, f"seal {label}", size)
            for label, (mark, _, size) in SUITES.items()
            for name, secret in ring.items()
        }
        key_id = current.encode()
        self.head = bytes([SUITES[suite][0], len(key_id)]) + key_id  # how its seals begin
        try:
            self.seal(b"", "")
        except UnsupportedAlgorithm:
            raise ConfigError(f"this build of cryptography lacks the suite {suite!r}") from None

    def seal(self, plain: bytes, bound: str) -> bytes:
        """Seal bytes; they open only with the same ``bound``, for example the ticket number."""
        nonce = os.urandom(NONCE_BYTES)
        sealing = self._cipher(self.head, nonce, None).encryptor()
        sealing.authenticate_additional_data(self.head + bound.encode())
        body = sealing.update(plain) + sealing.finalize()
        return self.head + nonce + sealing.tag + body

    def unseal(self, sealed: bytes, bound: str) -> bytes:
        """Open a seal. Raises KeyMissing, or SealBroken; neither carries what was sealed."""
        at = 2 + (sealed[1] if len(sealed) > 1 else 0)
        head, nonce, rest = sealed[:at], sealed[at : at + NONCE_BYTES], sealed[at + NONCE_BYTES :]
        if len(rest) < TAG_BYTES:
            raise SealBroken
        opening = self._cipher(head, nonce, rest[:TAG_BYTES]).decryptor()
        opening.authenticate_additional_data(head + bound.encode())
        try:
            return opening.update(rest[TAG_BYTES:]) + opening.finalize()
        except InvalidTag:
            raise SealBroken from None

    def key_of(self, sealed: bytes) -> str:
        """The id of the key a seal names."""
        return sealed[2 : 2 + sealed[1]].decode(errors="replace")

    def _cipher(self, head: bytes, nonce: bytes, tag: bytes | None) -> Cipher[modes.GCM]:
        key = self._keys.get((head[0], head[2:].decode(errors="replace")))
        if key is None:
            raise KeyMissing
        kind = next(kind for mark, kind, _ in SUITES.values() if mark == head[0])
        return Cipher(kind(key), modes.GCM(nonce, tag))


class Digester:
    """Keyed digests: equal values can be found, nobody without the secret can try values out."""

    def __init__(self, secret: bytes) -> None:
        """Raises ConfigError when the secret is shorter than 32 bytes."""
        self._secret = secret
        self._subkeys = {use: _subkey(secret, use) for use in ("fingerprint", "ticket code")}

    def blind_index(self, value: str, purpose: str) -> str:
        """Hex digest of a value, to look it up by; normalise it first (``normal_phone``)."""
        return self._digest(f"index {purpose}", value.encode()).hex()

    def fingerprint(self, content: bytes) -> str:
        """Hex digest of a request, to tell the same request from another one."""
        return self._digest("fingerprint", content).hex()

    def ticket_code(self, number: str) -> str:
        """查询码: the citizen's code to a ticket number; derived each time, stored nowhere."""
        rest = int.from_bytes(self._digest("ticket code", number.encode()))
        letters = []
        for _ in range(CODE_LENGTH):
            rest, at = divmod(rest, len(CODE_LETTERS))
            letters.append(CODE_LETTERS[at])
        return "".join(letters)

    def check_code(self, number: str, code: str) -> bool:
        """Whether a code, in any case and spacing, is the number's; takes the same time always."""
        typed = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", code)).upper()
        return hmac.compare_digest(self.ticket_code(number).encode(), typed.encode())

    def _digest(self, use: str, content: bytes) -> bytes:
        key = self._subkeys.get(use)
        if key is None:
            key = self._subkeys[use] = _subkey(self._secret, use)
        return hmac.digest(key, content, "sha256")


# --- telephone numbers -------------------------------------------------------------------------

_AREA, _LOCAL, _MOBILE = r"(?:10|2\d|[3-9]\d\d)", r"[2-8]\d{6,7}", r"1[3-9]\d{9}"
_HOME = re.compile(rf"(?:(?:\+|00)?86)?(?:({_MOBILE})|0({_AREA}{_LOCAL})|([48]00[1-9]\d{{6}}))")
_HOME_BARE = re.compile(rf"(?:\+|00)86({_AREA}{_LOCAL})")  # +86 915 …: the area code without its 0
_SERVICE = re.compile(r"95\d{3,6}")
_ABROAD = re.compile(r"(?:\+|00)((?!86)[1-9]\d{6,14})")
_EXTENSION = re.compile(r"(.{10,40})(?:-|转|#)(\d{1,6})")


def normal_phone(text: str) -> str | None:
    """One spelling per number: 13800138000, 09154421234(-extension), 4001234567, 95588, +1415….

    None when the text is no number: a landline needs its area code, a foreign number its +.
    """
    written = text[:64].translate(_FOLD).strip()
    if number := _whole_phone(written):
        return number
    parts = _EXTENSION.fullmatch(written)
    number = _whole_phone(parts[1]) if parts else None
    return f"{number}-{parts[2]}" if parts and number and number[0] == "0" else None


def _whole_phone(written: str) -> str | None:
    digits = re.sub(r"[ \t./()-]", "", written)
    if found := _HOME.fullmatch(digits):
        return found[1] or found[3] or f"0{found[2]}"
    if found := _HOME_BARE.fullmatch(digits):
        return f"0{found[1]}"
    if found := _ABROAD.fullmatch(digits):
        return f"+{found[1]}"
    return digits if _SERVICE.fullmatch(digits) else None


# --- masking -----------------------------------------------------------------------------------

NAME, PHONE, HOME, PAPER, ACCOUNT = "[姓名]", "[电话]", "[住址]", "[证件]", "[账号]"
LABELS = {
    **dict.fromkeys(("mobile", "landline", "local", "spoken"), PHONE),
    **dict.fromkeys(("account", "wechat", "qq"), ACCOUNT),
    **{"paper": PAPER, "card": "[银行卡]", "mail": "[邮箱]"},
}
NOBODY = frozenset(
    {"匿名", "市民", "群众", "居民", "先生", "女士", "来电人", "不详", "未知", "保密"}
)


class _Fold(dict[int, str]):
    """NFKC and lower case, one character for one, learned as characters turn up.

    Any blank or invisible character becomes a space, any dash a hyphen, any decimal its digit.
    ① stays: before a number it is a list mark, not its first digit.
    """

    def __missing__(self, code: int) -> str:
        char, kind = chr(code), unicodedata.category(chr(code))
        plain = unicodedata.normalize("NFKC", char).lower()
        if kind in ("Zs", "Cf"):
            plain = " "
        elif kind == "Pd" or char in "−ー":
            plain = "-"
        elif kind == "Nd":
            plain = str(unicodedata.decimal(char))
        self[code] = plain if len(plain) == 1 and kind != "No" else char
        return self[code]


_FOLD = _Fold()
_NUMERALS = str.maketrans("〇零一幺二两三四五六七八九①②③④⑤⑥⑦⑧⑨", "0011223456789123456789")
_GAP = r"[ .\t-]{0,2}"
_CHINA = rf"\(?(?:\+|00)?86\)?{_GAP}"
_DAY = rf"(?:0[1-9]|1[0-2]){_GAP}(?:0[1-9]|[12]\d|3[01])"
_NOT_DATED = r"(?!20\d\d(?:0[1-9]|1[0-2]))"
_SAID = r"[〇零一幺二两三四五六七八九]"
_IS = r"[\s:是为=]{0,3}"
_PATTERNS = re.compile(
    rf"""(?<!\d)(?=[\d(+])(?:
          (?P<paper>[1-9]\d{{5}}(?:{_GAP}(?:18|19|20)\d\d{_GAP}{_DAY}{_GAP}\d{{3}}[\dx]
            | \d\d{_DAY}\d{{3}}))
        | (?P<card>{_NOT_DATED}[1-9]\d{{15,18}}
            | [3-69]\d{{3}}(?:[ -]\d{{4}}){{3}}(?:[ -]?\d{{1,3}})?)
        | (?P<mobile>(?:{_CHINA})?(?:1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}} | 1[3-9]\d{{3}}{_GAP}\d{{6}}
            | 1[3-9]\d\d{_GAP}\d{{3}}{_GAP}\d{{4}} | 1[3-9]\d\d{_GAP}\d{{4}}{_GAP}\d{{3}}
            | 1[ .-][3-9](?:[ .-]\d){{9}}))
        | (?P<landline>(?:\(?0|{_CHINA}\(?0?){_AREA}\)?{_GAP}
            [2-8]\d{{2,3}}[ -]?\d{{4}}(?:(?:-|转)\d{{1,6}})?)
        )(?!\d)
      | (?P<mail>[a-z0-9._%+-]{{1,64}}+@[a-z0-9-]{{1,63}}\.[a-z0-9.-]{{1,190}})
      | (?P<spoken>[一幺][三四五六七八九](?:[ 、,-]?{_SAID}){{9}})
      | (?:电话|座机|固话|手机|号码|tel){_IS}(?P<local>{_NOT_DATED}[2-8]\d{{2,3}}[ -]?\d{{4}})(?!\d)
      | (?:qq|扣扣|微信|weixin|wechat|vx)(?:号码?|id|账号){_IS}(?P<account>[a-z0-9_-]{{5,40}})
      | (?:qq|扣扣){_IS}(?P<qq>[1-9]\d{{4,10}})(?!\d)
      | (?:微信|weixin|wechat|vx){_IS}(?P<wechat>[a-z][a-z0-9_-]{{5,40}})""",
    re.VERBOSE,
)
_LABEL = re.compile("|".join(map(re.escape, {NAME, HOME, *LABELS.values()})))
_DISTRICT = re.compile(r"[^省市县区镇乡]{1,8}(?:省|市|县|区|镇|乡|街道)")

_Span = tuple[int, int, str]


def mask_patterns(text: str) -> str:
    """Replace what looks like a phone, ID card, bank card, e-mail address, QQ or WeChat id.

    Prices, dates, ticket numbers and area codes stay.
    """
    return _settled(text, _pattern_spans)


def mask_exact(
    text: str,
    names: Iterable[str] = (),
    phones: Iterable[str] = (),
    addresses: Iterable[str] = (),
    id_numbers: Iterable[str] = (),
) -> str:
    """Replace what is known of a person, however it is spaced, dashed or spelled in full width.

    Not searched: names of one character and titles (王先生 stays), addresses that are only a
    district. A home address is also found without the districts before it.
    """
    wanted = [
        *((NAME, name) for given in names for name in _name_forms(given)),
        *((PHONE, digits) for given in phones for digits in _phone_forms(given)),
        *((HOME, place) for given in addresses for place in _address_forms(given)),
        *((PAPER, _dense(given)) for given in id_numbers),
    ]
    needles = [(label, needle) for label, needle in wanted if len(needle) > 1]
    return _settled(unicodedata.normalize("NFC", text), lambda known: _exact_spans(known, needles))


def _settled(text: str, search: Callable[[str], Iterable[_Span]]) -> str:
    # Masking one thing can bare the edge of its neighbour, so search until nothing is found.
    while spans := sorted(search(text)):
        text = _replaced(text, spans)
    return text


def _replaced(text: str, spans: Sequence[_Span]) -> str:
    parts, done, group = [], 0, spans[0]
    for span in (*spans[1:], (len(text), len(text) + 1, "")):
        if span[0] < group[1]:  # they overlap: one mask, under the longer one's label
            longer = max(group, span, key=lambda each: each[1] - each[0])
            group = (group[0], max(group[1], span[1]), longer[2])
            continue
        parts += [text[done : group[0]], group[2]]
        done, group = group[1], span
    return "".join([*parts, text[done:]])


def _pattern_spans(text: str) -> Iterator[_Span]:
    for found in _PATTERNS.finditer(text.translate(_FOLD)):
        group = str(found.lastgroup)
        yield (*found.span(group), LABELS[group])


def _exact_spans(text: str, needles: Iterable[tuple[str, str]]) -> Iterator[_Span]:
    folded = _LABEL.sub(lambda label: "\0" * len(label[0]), text.translate(_FOLD))
    plain = folded.translate(_NUMERALS)
    places = [at for at, char in enumerate(plain) if char.isalnum() or char == "\0"]
    dense = "".join([plain[at] for at in places])
    for label, needle in needles:
        at = dense.find(needle)
        while at >= 0:
            start, end = places[at], places[at + len(needle) - 1] + 1
            if _stands_alone(folded, start, end, label, needle):
                lead = len(folded[:start]) - len(folded[:start].rstrip("+("))
                yield start - lead if needle.isdecimal() else start, end, label
            at = dense.find(needle, at + 1)


def _stands_alone(folded: str, start: int, end: int, label: str, needle: str) -> bool:
    """No part of a longer word or number, no name read across the end of a sentence."""
    if label == NAME and any(char in ",。!?;\n" for char in folded[start:end]):
        return False
    if needle.isdecimal() and len(needle) >= 10:
        return True
    edges = (folded[max(start - 1, 0) : start + 1], folded[end - 1 : end + 1])
    return not any(
        len(pair) == 2 and pair.isascii() and (pair.isdigit() or pair.isalpha()) for pair in edges
    )


def _dense(given: str) -> str:
    folded = unicodedata.normalize("NFC", given).translate(_FOLD).translate(_NUMERALS)
    return "".join(filter(str.isalnum, folded))


def _name_forms(given: str) -> Iterator[str]:
    for part in re.split(r"[(),/、;]", given.translate(_FOLD)):
        name = re.sub(r"(?:先生|女士|小姐|同志|老师)$", "", part.strip())
        if len(name) > 1 and name not in NOBODY:
            yield _dense(name)


def _phone_forms(given: str) -> Iterator[str]:
    number = (normal_phone(given) or _dense(given)).partition("-")[0].lstrip("+")
    local = number[3 if number[1:2] in ("1", "2") else 4 :] if number[:1] == "0" else ""
    for form in {number, number.removeprefix("0")}:
        yield from (form, f"86{form}", f"0086{form}")
    yield local


def _address_forms(given: str) -> Iterator[str]:
    tail = whole = _dense(given)
    while found := _DISTRICT.match(tail):
        tail = tail[found.end() :]
        if len(tail) > 4 and any(map(str.isdigit, tail)):
            yield tail
    if tail:
        yield whole
