"""Several pictures of one document decide together."""

from collections import Counter
from collections.abc import Sequence

from broker.verifiers.mrz.answer import Answer, Cause, Sureness


def vote(answers: Sequence[Answer]) -> Answer:
    """The answer to all pictures together, from that to each.

    A zone is believed if it has more votes than all others together: a wrong reading seldom
    repeats itself, and where two are as many nobody knows. A picture of two documents decides
    by itself. Pictures that show nothing have no vote; if none shows anything, the first says why.
    """
    for answer in answers:
        if len(answer.zones) > 1:
            return answer
    votes = Counter(answer.zones[0] for answer in answers if answer.zones)
    if not votes:
        return next(iter(answers), Answer(cause=Cause.NOT_FOUND))
    zone, most = votes.most_common(1)[0]
    if 2 * most <= votes.total():
        return Answer(cause=Cause.UNSURE)
    return Answer(
        (zone,), sure=_surest([a.sure[0] for a in answers if a.zones == (zone,) if a.sure])
    )


def _surest(told: Sequence[Sureness]) -> tuple[Sureness, ...]:
    """Every symbol as sure as in the picture that shows it best; () where none tells."""
    if not told:
        return ()
    rows = zip(*told, strict=True)
    return (tuple(tuple(map(max, zip(*row, strict=True))) for row in rows),)
