"""What looks like a person's number goes, ordinary numbers stay, and no text makes it slow."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings

from shared import clock
from shared.security.masking import mask_patterns
from tests.fixtures.texts import TEXTS


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("请打13800138000找我", "请打[电话]找我"),
        ("138-0013-8000、138 0013 8000、1380-013-8000", "[电话]、[电话]、[电话]"),
        ("+86 13800138000 (+86)138-0013-8000", "[电话] [电话]"),
        ("１３８００１３８０００", "[电话]"),
        ("138\u200b0013\u200b8000", "[电话]"),
        ("1 3 8 0 0 1 3 8 0 0 0", "[电话]"),
        ("①13800138000②13900139000", "①[电话]②[电话]"),
        ("一三八零零一三八零零零", "[电话]"),
        ("幺三八，零零幺三，八零零零", "[电话]"),
        ("座机0915-4421234转801，（0915）4421234", "座机[电话]，[电话]"),
        ("+86(0915)4421234", "[电话]"),
        ("电话：4421234", "电话：[电话]"),
        ("身份证61092419900101123X", "身份证[证件]"),
        ("610924 19900101 1234", "[证件]"),
        ("610924900101123", "[证件]"),
        ("卡号6222021234567890123", "卡号[银行卡]"),
        ("6222 0212 3456 7890", "[银行卡]"),
        ("邮箱Li.Na@example.com。", "邮箱[邮箱]。"),
        ("QQ：123456789", "QQ：[账号]"),
        ("微信号wang_2026，微信 wxid_ab12", "微信号[账号]，微信 [账号]"),
        ("微信13800138000", "微信[电话]"),
    ],
)
def test_what_points_at_a_person_goes(text: str, masked: str) -> None:
    assert mask_patterns(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "工单20261123-000001，原工单20251231-138001",
        "2026-11-23 14:30:00，20261123，20261123143000，2026.11.23-2026.12.01",
        "价格12500元、1,200.50元、13.8万元，共1500平方米",
        "区划610924109，610924109000，邮编725300",
        "2026 2027 2028 2029",
        "订单20261123093000123",
        "拨打12345、110、95588、400-123-4567",
        "3号楼2单元1501室，G65公里1380处，第13次",
        "微信支付100000元，QQ音乐会员15元",
        "电话20261123-000001查询",
    ],
)
def test_ordinary_numbers_stay(text: str) -> None:
    assert mask_patterns(text) == text


@settings(deadline=None)
@given(TEXTS)
def test_masking_twice_is_masking_once(text: str) -> None:
    masked = mask_patterns(text)
    assert mask_patterns(masked) == masked


@pytest.mark.parametrize("piece", ["1", "a", "a@", "a.", "138 ", "+86", "(", "一三", "qq号", "8-"])
def test_no_text_makes_masking_slow(piece: str) -> None:
    """The longest content there is takes milliseconds; backtracking would take minutes."""
    text = piece * (5_000 // len(piece))
    began = clock.real()
    mask_patterns(text)
    assert clock.real() - began < timedelta(seconds=2)
