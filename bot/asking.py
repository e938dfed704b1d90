"""The questions that cross the border between a process with tokens and one without, as JSON."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import TypeAdapter

from bot.core.model.ask import (
    Chain,
    CursorAsk,
    CursorSeen,
    DeliverAsk,
    DeliveredAsk,
    DeliveredSeen,
    ReviewAsk,
    Survey,
    SurveyAsk,
)
from bot.core.model.conversation import Said

Ask = SurveyAsk | CursorAsk | ReviewAsk | DeliveredAsk | DeliverAsk

VERBS: Mapping[str, tuple[TypeAdapter[object], TypeAdapter[object]]] = {
    "survey": (TypeAdapter(SurveyAsk), TypeAdapter(Survey)),
    "cursor": (TypeAdapter(CursorAsk), TypeAdapter(CursorSeen)),
    "review": (TypeAdapter(ReviewAsk), TypeAdapter(Said)),
    "delivered": (TypeAdapter(DeliveredAsk), TypeAdapter(DeliveredSeen)),
    "deliver": (TypeAdapter(DeliverAsk), TypeAdapter(Chain)),
}
"""One row a verb of `ports.Core`: what goes in, what comes out. Both sides of the pipe read this table."""
