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
    Draft,
    DraftAsk,
    ExplainAsk,
    Required,
    RequiredAsk,
    ReviewAsk,
    Survey,
    SurveyAsk,
    Told,
)
from bot.core.model.conversation import Said

Ask = SurveyAsk | CursorAsk | RequiredAsk | ReviewAsk | ExplainAsk | DraftAsk | DeliveredAsk | DeliverAsk

VERBS: Mapping[str, tuple[TypeAdapter[object], TypeAdapter[object]]] = {
    "survey": (TypeAdapter(SurveyAsk), TypeAdapter(Survey)),
    "cursor": (TypeAdapter(CursorAsk), TypeAdapter(CursorSeen)),
    "required": (TypeAdapter(RequiredAsk), TypeAdapter(Required)),
    "review": (TypeAdapter(ReviewAsk), TypeAdapter(Said)),
    "explain": (TypeAdapter(ExplainAsk), TypeAdapter(Told)),
    "draft": (TypeAdapter(DraftAsk), TypeAdapter(Draft)),
    "delivered": (TypeAdapter(DeliveredAsk), TypeAdapter(DeliveredSeen)),
    "deliver": (TypeAdapter(DeliverAsk), TypeAdapter(Chain)),
}
"""One row a verb of `ports.Core`: what goes in, what comes out. Both sides of the pipe read this table."""
