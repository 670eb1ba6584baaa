// What the server calls events, states and failures; `strings/….js` has put it in place before this runs.

export const vocabulary = globalThis.antrianVocabulary;

/** Whether a failure holds the whole lane, whoever's turn it was. */
export const isOutage = (failure) => vocabulary.outages.includes(failure);
