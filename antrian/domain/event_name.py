"""The name of every event that the product writes: its vocabulary in the journal and in the outcomes stream.

What each of them means for its message is a row of `antrian.domain.lifecycle`.
"""

from enum import StrEnum


class EventName(StrEnum):
    """The name of an event; on the wire it is the text. A newer version may write names that are not here."""

    # About one message, on the journal and on the outcomes stream.

    #: It is the one message that an admin has a paused lane send.
    CHOSEN = "outcome.chosen"
    #: An attempt begins; without a later outcome it is uncertain.
    SENDING = "outcome.sending"
    #: The provider accepted the message.
    SENT = "outcome.sent"
    #: The attempt failed; details say how.
    FAILED = "outcome.failed"
    #: A crash left an attempt without an outcome.
    UNCERTAIN = "outcome.uncertain"
    #: A copy for the next attempt is on the delay ladder.
    RETRYING = "outcome.retrying"
    #: It is back on the delay ladder and no attempt is counted: its time has not come, or only a newer consumer can
    #: read it.
    POSTPONED = "outcome.postponed"
    #: It is on the delay ladder because of a rule of its lane, and no attempt is counted; details say which
    #: (`antrian.domain.hold`).
    HELD = "outcome.held"
    #: An admin, or a change of the rules, took it off the delay ladder and back into its lane before its time.
    RELEASED = "outcome.released"
    #: A copy is in the dead-letter queue.
    DEAD = "outcome.dead"
    #: Not sent: its idempotency key is taken.
    DUPLICATE = "outcome.duplicate"
    #: Not sent: it expired.
    EXPIRED = "outcome.expired"
    #: Not sent: its recipient does not want messages of this purpose.
    OPTED_OUT = "outcome.opted_out"
    #: Not sent: an admin cancelled it.
    CANCELLED = "outcome.cancelled"
    #: Not sent: an admin cleared the queue.
    CLEARED = "outcome.cleared"
    #: An admin put a dead letter back into its lane.
    REDRIVEN = "outcome.redriven"
    #: An admin asks that a message not be sent.
    CANCELLING = "outcome.cancelling"
    #: An admin takes that back, before the message was dropped.
    UNCANCELLED = "outcome.uncancelled"
    #: An admin deleted its dead letter.
    PURGED = "outcome.purged"
    #: An admin undid the clearing or the purge that took it out.
    RESTORED = "outcome.restored"
    #: The provider took the message and says now that it did not arrive; its copy can be given up or tried again.
    UNDELIVERED = "outcome.undelivered"
    #: A consumer marks the end of the stream, to know that it has read all of it.
    BARRIER = "outcome.barrier"

    # About people, on the contacts stream and in the journal.

    #: People whom a sender knows: imported, or they wrote, received or read.
    CONTACT_KNOWN = "contact.known"
    #: A person does not want messages of a purpose any more.
    CONTACT_OPTED_OUT = "contact.opted_out"
    #: A person wants them again.
    CONTACT_OPTED_IN = "contact.opted_in"
    #: A person is known by one more identity.
    CONTACT_LINKED = "contact.linked"
    #: An admin lets a sender write to new contacts again.
    COLD_RELEASED = "contact.cold_released"

    # What providers report (`antrian.domain.receipt`), on the journal and in the queue of receipts.

    #: How far a message has come that the provider took.
    RECEIPT_STATUS = "receipt.status"
    #: A person wrote to the sender.
    RECEIPT_INBOUND = "receipt.inbound"
    #: The sender's connection to WhatsApp changed.
    RECEIPT_SESSION = "receipt.session"
    #: The provider changed what the sender may do, or says how it is rated.
    RECEIPT_ACCOUNT = "receipt.account"
    #: A signed report, or a part of one, that nobody here can read.
    RECEIPT_UNREADABLE = "receipt.unreadable"

    # For the history only.

    #: An admin wrote a note about its dead letter.
    NOTED = "message.noted"
    #: An admin paused the lane.
    LANE_PAUSED = "lane.paused"
    #: An admin resumed the lane.
    LANE_RESUMED = "lane.resumed"
    #: An admin ended the lane's present wait.
    LANE_FORCED = "lane.forced"
    #: An admin had a paused lane send one message.
    LANE_TRIED = "lane.tried"
    #: An admin cleared the lane's queue.
    LANE_CLEARED = "lane.cleared"
    #: A consumer takes the lanes that a command told it to serve.
    LANES_ACCEPTED = "lanes.accepted"
    #: A consumer goes on with the lanes it had, and says why.
    LANES_REFUSED = "lanes.refused"
    #: A consumer serves the lanes that it accepted.
    LANES_APPLIED = "lanes.applied"
    #: An admin deleted dead letters.
    DEAD_PURGED = "dead.purged"
    #: An admin began to undo a clearing or a purge.
    UNDO_BEGAN = "undo.began"
    #: A clearing or a purge is undone.
    UNDO_DONE = "undo.done"
    #: A re-drive of many dead letters began.
    JOB_STARTED = "job.started"
    #: How far a re-drive of many dead letters has come.
    JOB_PROGRESS = "job.progress"
    #: An admin cancels a re-drive of many dead letters.
    JOB_CANCELLING = "job.cancelling"
    #: A re-drive of many dead letters ended.
    JOB_FINISHED = "job.finished"
    #: A request over HTTP was allowed.
    AUDIT_ALLOWED = "audit.allowed"
    #: A request over HTTP was denied.
    AUDIT_DENIED = "audit.denied"

    # Never written: what the history calls the arrival of a copy of a message in the journal.

    #: A copy came into its lane.
    QUEUED = "message.queued"
    #: A copy came onto the delay ladder, for a time of its own.
    SCHEDULED = "message.scheduled"
    #: A copy came into the dead-letter queue.
    BURIED = "message.buried"


#: Pattern of the names of events that the outcomes stream holds, as the last word of a routing key's name.
ANY_OUTCOME = "outcome.*"
