"""Faults that somebody could make, and the tests one of which must notice each.

A fault is one passage of one module and what it becomes. The passage must be there exactly once, so that a fault whose
code has moved on is noticed and planted again. Tests are files below tests/, or single tests of them where the
file takes long; those that take least come first.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: what is wrong with it, in a few words.
        module: where it is planted, as it is imported.
        before: the passage, exactly as it stands there.
        after: what it becomes.
        tests: tried in this order until one fails.
    """

    name: str
    module: str
    before: str
    after: str
    tests: tuple[str, ...]


_PUBLISHER = (
    Fault(
        "an unroutable message counts as accepted",
        "publisher.pipeline",
        "Confirmation.RETURNED: Result.UNROUTABLE,",
        "Confirmation.RETURNED: Result.ACCEPTED,",
        ("broker/test_publisher.py::test_an_unknown_lane_is_an_error_and_leaves_nothing",),
    ),
    Fault(
        "published without asking whether it can be routed",
        "antrian.broker.confirms",
        "body, properties, mandatory)",
        "body, properties, False)",
        (
            "unit/broker/test_confirms.py",
            "broker/test_publisher.py::test_an_unknown_lane_is_an_error_and_leaves_nothing",
        ),
    ),
    Fault(
        "a refusal of several counts as a confirm",
        "antrian.broker.confirms",
        "if isinstance(answer, spec.Basic.Ack) else Confirmation.REFUSED",
        "if answer.multiple or isinstance(answer, spec.Basic.Ack) else Confirmation.REFUSED",
        ("unit/broker/test_confirms.py",),
    ),
    Fault(
        "a confirm of several leaves the first unconfirmed",
        "antrian.broker.confirms",
        "for tag in range(self._oldest_tag, answer.delivery_tag + 1):",
        "for tag in range(self._oldest_tag + 1, answer.delivery_tag + 1):",
        ("unit/broker/test_confirms.py",),
    ),
    Fault(
        "what was not confirmed when the connection broke is forgotten",
        "publisher.pipeline",
        "self._waiting.extendleft(reversed(unconfirmed.values()))",
        "unconfirmed.clear()",
        ("broker/test_publisher.py::test_a_connection_that_breaks_before_the_confirm_is_made_good",),
    ),
    Fault(
        "the idempotency key is not sent",
        "publisher.request",
        'ROUTED | {"phone_number", "message", "source"}',
        'ROUTED | {"phone_number", "message", "source", "idempotency_key"}',
        ("e2e/test_failures.py::test_one_key_is_sent_once",),
    ),
    Fault(
        "given up after it was written and called not accepted",
        "publisher.pipeline",
        "return Result.UNKNOWN if publication.written else Result.NOT_ACCEPTED",
        "return Result.NOT_ACCEPTED",
        ("broker/test_publisher.py::test_what_was_written_without_an_answer_is_unknown",),
    ),
)

_HISTORY = (
    Fault(
        "an entry that is delivered again is taken into account again",
        "antrian.history.projection.fold",
        "if offset <= self.changes.offset:",
        "if offset < self.changes.offset:",
        ("unit/history/test_history_projection.py",),
    ),
    Fault(
        "what was written of a batch that failed stays",
        "antrian.history.projection.writer",
        'self._connection.execute("ROLLBACK")',
        'self._connection.execute("COMMIT")',
        ("unit/history/test_history_projection.py", "broker/test_history_follower.py"),
    ),
    Fault(
        "the generation of a late event is ignored",
        "antrian.domain.lifecycle",
        "return event.generation < generation",
        "return False",
        ("unit/consumer/test_ledger.py", "unit/consumer/test_order_of_events.py"),
    ),
    Fault(
        "a message that was sent does not stay sent",
        "antrian.domain.lifecycle",
        "if (state is _IS_SENT or rule is _BY_SEND) and",
        "if rule is _BY_SEND and",
        ("unit/consumer/test_ledger_and_history_agree.py",),
    ),
    Fault(
        "a gap is not told",
        "antrian.history.follower",
        "writer.add_gap(gap)",
        "pass",
        ("broker/test_history_follower.py::test_entries_that_retention_took_are_a_gap",),
    ),
    Fault(
        "the barrier lets through one entry too early",
        "antrian.history.journal.watermark",
        "return position.offset >= self.offset",
        "return position.offset + 1 >= self.offset",
        ("unit/history/test_journal_mark.py",),
    ),
)

_DEAD_LETTERS = (
    Fault(
        "taken out before the broker has the copy",
        "antrian.broker.queue_scan.scan",
        "self._publish(deque(steps), partial(self._replaced, found, ack))",
        "ack()\n            self._publish(deque(steps), partial(self._replaced, found, lambda: None))",
        ("broker/test_queue_scan.py::test_nothing_is_taken_out_before_the_broker_has_its_copy",),
    ),
    Fault(
        "taken out although its copy was refused",
        "antrian.broker.queue_scan.scan",
        "self.tally.refused += 1",
        "ack()\n            self.tally.refused += 1",
        ("broker/test_queue_scan.py::test_what_the_broker_keeps_nowhere_stays",),
    ),
    Fault(
        "put back as a copy of the same generation",
        "antrian.operations.dead_letters.redrive_steps",
        "attempt=1, generation=letter.message.generation + 1,",
        "attempt=1, generation=letter.message.generation,",
        ("unit/operations/test_redrive_steps.py", "broker/test_dead_letters.py"),
    ),
    Fault(
        "the copy is published before the event that takes a cancellation back",
        "antrian.operations.dead_letters.redrive_steps",
        "return [self._event(EventName.REDRIVEN, letter, **about), self._sent(again)]",
        "return [self._sent(again), self._event(EventName.REDRIVEN, letter, **about)]",
        ("unit/operations/test_redrive_steps.py", "broker/test_dead_letters.py", "broker/test_dead_letter_service.py"),
    ),
    Fault(
        "deleted without a word in the journal",
        "antrian.operations.dead_letters.redrive_steps",
        "return [self._event(EventName.PURGED, letter, undo_id=undo_id, queue=self._names.dead, **kept)]",
        "return []",
        ("unit/operations/test_redrive_steps.py", "broker/test_dead_letters.py"),
    ),
    Fault(
        "the same can be undone twice",
        "antrian.operations.dead_letters.undo",
        "if removal is not None and removal.undone_at is not None:",
        "if removal is not None and removal.undone_at is None and removal.undone_at:",
        ("broker/test_undo.py::test_it_is_undone_once",),
    ),
    Fault(
        "an undo puts back what an interrupted one has put back",
        "antrian.operations.dead_letters.undo",
        "if is_back(removed, life):",
        "if not removed and is_back(removed, life):",
        ("broker/test_undo.py::test_what_an_interrupted_undo_had_published_is_not_published_again",),
    ),
    Fault(
        "an undo makes a copy of the generation that is spent",
        "antrian.operations.dead_letters.undo_steps",
        "generation = removed.generation + 1",
        "generation = removed.generation",
        ("unit/operations/test_undo_steps.py", "broker/test_undo.py"),
    ),
)

_ACCESS = (
    Fault(
        "the ladder of roles is climbed from the wrong end",
        "admin_api.auth.roles",
        "return _LADDER.index(role) >= _LADDER.index(needed)",
        "return _LADDER.index(role) <= _LADDER.index(needed)",
        ("unit/admin_api/test_access_roles.py",),
    ),
    Fault(
        "a publisher's token may look",
        "admin_api.auth.roles",
        "return role is needed",
        "return role is needed or needed is Role.VIEWER",
        ("unit/admin_api/test_access_roles.py",),
    ),
    Fault(
        "any CSRF token will do",
        "admin_api.auth.csrf",
        'return bool(expected) and hmac.compare_digest(expected.encode(), (sent or "").encode(errors="replace"))',
        "return bool(expected) and bool(sent)",
        ("unit/admin_api/test_access_csrf.py",),
    ),
    Fault(
        "a session goes on for ever",
        "admin_api.auth.sessions",
        "is_young = -_CLOCKS_DIFFER <= now - session.issued < LONGEST",
        "is_young = -_CLOCKS_DIFFER <= now - session.issued",
        ("unit/admin_api/test_access_sessions.py",),
    ),
    Fault(
        "a copy of a cookie works after its owner has logged out",
        "admin_api.auth.sessions",
        "return None if self._ended.get(session.id, now) else (session, token)",
        "return session, token",
        ("unit/admin_api/test_access_sessions.py",),
    ),
    Fault(
        "only the beginning of a token is compared",
        "admin_api.auth.tokens",
        'return hashlib.sha256(secret.encode(errors="replace")).hexdigest()',
        'return hashlib.sha256(secret.encode(errors="replace")[:24]).hexdigest()',
        ("unit/admin_api/test_access_tokens.py",),
    ),
    Fault(
        "a login link can be used twice",
        "admin_api.auth.login_links",
        "return codes.take(_hash(code), now) if codes.get(_hash(code), now) else None",
        "return codes.get(_hash(code), now)",
        ("unit/admin_api/test_access_once.py",),
    ),
    Fault(
        "numbers are masked in lists only",
        "admin_api.presenters",
        '"phone_number": mask(record.phone_number),\n        "message": None,\n        "idempotency_key": None,',
        '"phone_number": record.phone_number,\n        "message": None,\n        "idempotency_key": None,',
        ("unit/admin_api/test_answers.py", "e2e/test_api_roles.py", "e2e/test_search.py"),
    ),
    Fault(
        "an export is not on record",
        "admin_api.auth.audit_entry",
        "return visit.is_audited or path.endswith(_EXPORT) or not (is_safe_method(method) or publishes)",
        "return visit.is_audited or not (is_safe_method(method) or publishes)",
        ("unit/admin_api/test_access_record.py",),
    ),
)

#: The model runs the tick itself, over lists, with a crash possible at every step.
_MODEL = ("unit/consumer/test_no_message_is_lost_or_sent_twice.py",)

_TICK = (
    Fault(
        "a delivery is decided without asking what others have sent",
        "consumer.lane.tick",
        ("        await self._port.catch_up()\n        self._note_bells(message)\n"),
        "        self._note_bells(message)\n",
        _MODEL,
    ),
    Fault(
        "a send begins that is not on record",
        "consumer.lane.tick",
        (
            "        await self._record_beginning(message, address, outgoing)\n"
            "        if not await self._comes_the_exact_moment(message, gate, address):\n"
        ),
        "        if not await self._comes_the_exact_moment(message, gate, address):\n",
        _MODEL,
    ),
    Fault(
        "acked before its retry is in the broker",
        "consumer.lane.tick",
        (
            "                await self._retry(message, about, consequence)\n"
            "                await self._hold_then_ack(delivery)\n"
        ),
        (
            "                await self._hold_then_ack(delivery)\n"
            "                await self._retry(message, about, consequence)\n"
        ),
        _MODEL,
    ),
    Fault(
        "a retry is on record before it is in the broker",
        "consumer.lane.tick",
        (
            "        await self._lay_on_ladder(consequence.delay, *encode(copy))\n"
            "        due_at = self._port.wall() + whole_seconds(consequence.delay)\n"
            "        await self._record(EventName.RETRYING, message, due_at=due_at, next_attempt=consequence.attempt)\n"
        ),
        (
            "        due_at = self._port.wall() + whole_seconds(consequence.delay)\n"
            "        await self._record(EventName.RETRYING, message, due_at=due_at, next_attempt=consequence.attempt)\n"
            "        await self._lay_on_ladder(consequence.delay, *encode(copy))\n"
        ),
        _MODEL,
    ),
    Fault(
        "an outcome that a broken connection took along is forgotten",
        "consumer.lane.tick",
        "self._events.of(EventName.SENT, message, **details), surely=True)",
        "self._events.of(EventName.SENT, message, **details))",
        _MODEL,
    ),
    Fault(
        "a pause that is a little too short",
        "consumer.lane.tick",
        "        self._pace.send_ended(self._port.now(), pause)\n",
        "        self._pace.send_ended(self._port.now(), 0.9 * pause)\n",
        _MODEL,
    ),
    Fault(
        "the provider's silence is not kept",
        "consumer.lane.tick",
        "            self._pace.hold(self._port.now() + hold, failure.failure_class.value)\n",
        "            self._pace.hold(self._port.now(), failure.failure_class.value)\n",
        _MODEL,
    ),
    Fault(
        "sent although another consumer has just reported it as sent",
        "consumer.lane.tick",
        "        if not self._is_ours_to_send(message):\n",
        "        if not self._is_ours_to_send(message) and self._port.stopping:\n",
        _MODEL,
    ),
    Fault(
        "sent when it may be chosen, and not when it may be sent",
        "consumer.lane.tick",
        "            await self._port.wait_until(gate.opens_at, _never)\n",
        "            await self._port.wait_until(gate.opens_at - LEAD, _never)\n",
        _MODEL,
    ),
    Fault(
        "a dead letter that is only on record",
        "consumer.lane.tick",
        (
            "        body, properties = encode(retry_of(message, failure, attempt=message.attempt))\n"
            "        await self._port.publish(self._rules.names.dead, self._rules.lane, body, properties)\n"
        ),
        "",
        _MODEL,
    ),
    Fault(
        "a message that the lane must wait with is acked",
        "consumer.lane.tick",
        (
            "            case HoldLane() | SendAgain() | HoldCold():\n"
            "                # It keeps its place; the hold is in the pace or in the book already.\n"
            "                await self._give_back(delivery)\n"
        ),
        (
            "            case HoldLane() | SendAgain() | HoldCold():\n"
            "                # It keeps its place; the hold is in the pace or in the book already.\n"
            "                await self._hold_then_ack(delivery)\n"
        ),
        _MODEL,
    ),
)

_BOOK = ("unit/contacts/test_contact_book.py",)
_CONTACTS = (
    Fault(
        "contacts: a refused stranger stays known",
        "antrian.contacts.facts",
        "if self.known_last is not None and self.known_last > refused:",
        "if self.known_last is not None:",
        _BOOK,
    ),
    Fault(
        "contacts: a word of yesterday counts more than one of today",
        "antrian.contacts.facts",
        "self.opt_words[key] = max(self.opt_words.get(key, word), word)",
        "self.opt_words[key] = word",
        _BOOK,
    ),
    Fault(
        "contacts: a full disk loses what was learnt last",
        "antrian.contacts.book",
        "                self._move_to_memory(error)\n                self._write()\n",
        "                self._move_to_memory(error)\n",
        _BOOK,
    ),
    Fault(
        "contacts: a book that was lost answers all the same",
        "antrian.contacts.book",
        "                self._is_lost = True\n",
        "                pass\n",
        _BOOK,
    ),
    Fault(
        "contacts: a cold send is not told to the contacts stream",
        "antrian.domain.contact_event",
        'case EventName.SENT if event.details.get("cold") is True or',
        'case EventName.SENT if event.details.get("cold") is None or',
        ("broker/test_contacts_stream.py",),
    ),
)

#: The same model on lanes with limits.
_LIMITS = ("unit/consumer/test_holds_are_kept.py",)

_HOLDS = (
    Fault(
        "a message that must wait is acked before the ladder has it",
        "consumer.lane.tick",
        "                await self._delay(message, admission)\n                await self._port.ack(delivery)\n",
        "                await self._port.ack(delivery)\n                await self._delay(message, admission)\n",
        _LIMITS,
    ),
    Fault(
        "messages that are moved together are acked before the ladder has them",
        "consumer.lane.sorting",
        (
            "            await self._port.record_with_copies(copies)\n"
            "            await self._port.ack_up_to(deliveries[len(copies) - 1])\n"
        ),
        (
            "            await self._port.ack_up_to(deliveries[len(copies) - 1])\n"
            "            await self._port.record_with_copies(copies)\n"
        ),
        ("unit/consumer/test_lane_rules_are_kept.py",),
    ),
    Fault(
        "the first message that need not wait is acked with those before it",
        "consumer.lane.sorting",
        "ack_up_to(deliveries[len(copies) - 1])",
        "ack_up_to(deliveries[-1])",
        _LIMITS,
    ),
    Fault(
        "only the event of a hold is written",
        "consumer.outcomes.writer",
        "publications += [copy, event_arguments(self._names, event)]",
        "publications += [event_arguments(self._names, event)]",
        _LIMITS,
    ),
    Fault(
        "windows, gaps and caps of cold contacts are not asked",
        "consumer.lane.admission",
        "return decided or _hold(message, holds, now) or Send(attempt)",
        "return decided or Send(attempt)",
        _LIMITS,
    ),
    Fault(
        "a window that closed in the last moment is not seen",
        "consumer.lane.holds",
        "return (hold is not None and hold.reason is HoldReason.WINDOW) or not",
        "return not",
        ("unit/consumer/test_lane_rules_are_kept.py",),
    ),
    Fault(
        "an opt-out is not asked about",
        "consumer.lane.admission",
        "decided = long_ago or _opt_out(message, holds) or ",
        "decided = long_ago or ",
        _LIMITS,
    ),
    Fault(
        "a refusal of cold contacts is forgotten",
        "consumer.lane.holds",
        "cold_held_until=self._book.cold_held_until(self._sender),",
        "cold_held_until=None,",
        _LIMITS,
    ),
    Fault(
        "a refused message counts as an attempt",
        "antrian.domain.failure_class",
        "KEEPS_COPY = HOLDING | {FailureClass.COLD_REFUSED}",
        "KEEPS_COPY = HOLDING",
        ("unit/consumer/test_lane_rules_are_kept.py",),
    ),
    Fault(
        "the caps of a lane are not kept",
        "consumer.lane.holds",
        "if urgent or not self._has_caps:",
        "if urgent or self._has_caps:",
        _LIMITS,
    ),
    Fault(
        "the caps of a lane are kept from urgent messages, too",
        "consumer.lane.lane_gate",
        "return self._capped(self._pace.gate(urgent=urgent), urgent=urgent)",
        "return self._capped(self._pace.gate(urgent=urgent))",
        ("unit/consumer/test_lane_rules_are_kept.py",),
    ),
    Fault(
        "what was sent is forgotten",
        "consumer.lane.ledger",
        "        self.usage.apply(event, self._clock())\n",
        "",
        _LIMITS,
    ),
    Fault(
        "the contacts need not have been read",
        "consumer.outcomes.reader",
        "return self.has_passed_in_outcomes(mark) and self.has_passed_in_contacts(mark)",
        "return self.has_passed_in_outcomes(mark)",
        ("unit/consumer/test_contacts_reader.py",),
    ),
)

_SETTLED = (
    "unit/consumer/test_lane_rules_are_kept.py",
    "unit/consumer/test_no_message_is_lost_or_sent_twice.py::test_a_receipt_settles_an_attempt_without_an_answer",
)

_RECEIPTS = (
    Fault(
        "an attempt without an answer waits for no receipt",
        "consumer.lane.admission",
        "if 0 < left <= 2 * wait else None",
        "if False else None",
        _SETTLED,
    ),
    Fault(
        "a receipt settles nothing",
        "consumer.lane.admission",
        "if told.proof is not None:",
        "if False:",
        _SETTLED,
    ),
    Fault(
        "a receipt that the stream has and the lane does not know is overlooked before another attempt",
        "consumer.lane.settlement",
        "return known is not None and known.is_doubtful",
        "return False",
        _SETTLED[1:],
    ),
    Fault(
        "a re-driven message whose send was taken back counts as sent",
        "consumer.lane.settlement",
        "return entry is not None and entry.generation < message.generation",
        "return False",
        _SETTLED[1:],
    ),
    Fault(
        "a receipt that comes while the attempt is recorded is overlooked",
        "consumer.lane.tick",
        "entry.state is State.SENDING and not is_proved",
        "entry.state is State.SENDING",
        _SETTLED[:1],
    ),
    Fault(
        "what was cancelled in doubt and comes back is sent again",
        "consumer.lane.ledger",
        "_ENDED = frozenset({State.SENT, State.DEAD})",
        "_ENDED = frozenset({State.SENT, State.DEAD, State.CLOSED})",
        _SETTLED[:1],
    ),
    Fault(
        "a failed receipt proves a send",
        "consumer.lane.receipts",
        "receipt.status not in PROVES_A_SEND",
        "not receipt.status",
        _SETTLED[:1],
    ),
    Fault(
        "anybody's words to a person who opted out pass as the answer",
        "antrian.domain.opt_out",
        "return self.key in keys and self.text in",
        "return self.key in keys or self.text in",
        ("unit/domain/test_opt_out.py",),
    ),
    Fault(
        "a sender that has to scan a code goes on sending",
        "consumer.lane.pace",
        "if before == self._session:",
        "if True:",
        _SETTLED[:1],
    ),
)

FAULTS = (*_TICK, *_RECEIPTS, *_HOLDS, *_PUBLISHER, *_HISTORY, *_DEAD_LETTERS, *_ACCESS, *_CONTACTS)
