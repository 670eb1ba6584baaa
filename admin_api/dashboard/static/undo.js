// Taking back a clearing or a deletion.

import { post } from "./api.js";
import { t, tn } from "./i18n.js";
import { complain, toast } from "./toast.js";

/** Undo, and say what came back. */
export async function undo(undoId, done) {
  try {
    const { restored } = await post(`/undo/${encodeURIComponent(undoId)}`);
    toast(tn("%(count)s message is back.", "%(count)s messages are back.", restored));
    done?.();
  } catch (error) {
    complain(error);
  }
}

/** Say what was taken out, and offer to take it back. */
export function offerUndo(words, undoId, done) {
  toast(words, undoId ? { action: { label: t("Undo"), run: () => undo(undoId, done) } } : {});
}
