"""What is wrong with a field, in Chinese and English, without the value that was sent. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# By Pydantic's type of error; words in braces come from its context.
SAID = {
    "missing": "缺少必填项 required, but missing",
    "extra_forbidden": "未知字段 unknown field",
    "string_type": "应为文本 must be a string",
    "string_unicode": "不是有效的文本 is not valid text",
    "string_too_short": "至少 {min_length} 个字 must have at least {min_length} characters",
    "string_too_long": "最多 {max_length} 个字 must have at most {max_length} characters",
    "string_pattern_mismatch": "格式不符，应匹配 must match {pattern}",
    "int_type": "应为整数 must be an integer",
    "int_parsing": "应为整数 must be an integer",
    "int_parsing_size": "整数过大 the integer is too large",
    "int_from_float": "应为整数 must be an integer, without a fraction",
    "float_type": "应为数字 must be a number",
    "float_parsing": "应为数字 must be a number",
    "finite_number": "应为有限的数 must be a finite number",
    "bool_type": "应为 true 或 false must be true or false",
    "bool_parsing": "应为 true 或 false must be true or false",
    "greater_than": "应大于 must be greater than {gt}",
    "greater_than_equal": "不得小于 must be at least {ge}",
    "less_than": "应小于 must be less than {lt}",
    "less_than_equal": "不得大于 must be at most {le}",
    "enum": "只能是下列之一 must be one of {expected}",
    "literal_error": "只能是下列之一 must be one of {expected}",
    "uuid_type": "应为 UUID must be a UUID",
    "uuid_parsing": "应为 UUID must be a UUID",
    "date_type": "应为日期 must be a day such as 2026-03-02",
    "date_parsing": "应为日期 must be a day such as 2026-03-02",
    "date_from_datetime_parsing": "应为日期 must be a day such as 2026-03-02",
    "date_from_datetime_inexact": "应为日期，不含时刻 must be a day, without a time: 2026-03-02",
    "datetime_type": "应为时刻 must be a moment such as 2026-03-02T09:00:00+08:00",
    "datetime_parsing": "应为时刻 must be a moment such as 2026-03-02T09:00:00+08:00",
    "datetime_from_date_parsing": "应为时刻 must be a moment such as 2026-03-02T09:00:00+08:00",
    "timezone_aware": "时刻须带时区 the moment needs its offset: 2026-03-02T09:00:00+08:00",
    "list_type": "应为列表 must be a list",
    "tuple_type": "应为列表 must be a list",
    "too_short": "至少 {min_length} 项 must have at least {min_length} items",
    "too_long": "最多 {max_length} 项 must have at most {max_length} items",
    "dict_type": "应为 JSON 对象 must be a JSON object",
    "model_type": "应为 JSON 对象 must be a JSON object",
    "model_attributes_type": "应为 JSON 对象 must be a JSON object",
}
EMPTY = "不能为空 must not be empty"


def said_of(fault: Mapping[str, Any]) -> str:
    """What a fault of Pydantic's says to the one who sent the request.

    A rule of ours speaks for itself; what nobody foresaw keeps Pydantic's English.
    """
    context: Mapping[str, Any] = fault.get("ctx") or {}
    if fault["type"] in ("value_error", "assertion_error"):
        return str(context.get("error", fault["msg"]))
    if fault["type"] in ("string_too_short", "too_short") and context.get("min_length") == 1:
        return EMPTY
    known = SAID.get(fault["type"])
    if known:
        return known.format_map(context)
    return str(fault["msg"]) if not fault["msg"].isascii() else f"内容不符合要求 {fault['msg']}"
