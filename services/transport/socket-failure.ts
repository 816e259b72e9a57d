// Owns how a failed connection is told to people: what happened to it, with the system's word for those who search for it. Holds no state.

const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections; nothing listens there',
  ECONNRESET: 'cut the connection',
  EPIPE: 'cut the connection',
  ETIMEDOUT: 'did not answer in time',
  EHOSTUNREACH: 'cannot be reached from this network',
  ENETUNREACH: 'cannot be reached from this network',
  ENOTFOUND: 'is a name that nobody knows',
  EAI_AGAIN: 'is a name that could not be looked up',
};

/** @param who what the sentence is about, such as "Gateway gw1.example:6180" */
export function describeSocketFailure(who: string, error: NodeJS.ErrnoException): string {
  const sentence = error.code === undefined ? undefined : sentences[error.code];
  return sentence === undefined ? `${who}: ${error.code ?? error.message}` : `${who} ${sentence} (${error.code ?? ''})`;
}
