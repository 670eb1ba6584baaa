// What the server calls events, states and failures; `strings/….js` has put it in place before this runs.

export const vocabulary = globalThis.antrianVocabulary;

/** What an event says of an attempt: it "begins", "goes on" or "is over"; undefined where it is about none. */
export const attemptStep = (name) => (Object.hasOwn(vocabulary.attempts, name) ? vocabulary.attempts[name] : undefined);

/** The events that this one sums up. */
export const partsOf = (name) => (Object.hasOwn(vocabulary.sums, name) ? vocabulary.sums[name] : []);

/** Whether a failure holds the whole lane, whoever's turn it was. */
export const isOutage = (failure) => vocabulary.outages.includes(failure);
