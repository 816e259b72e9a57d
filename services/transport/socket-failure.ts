// Owns the text for a failed connection: what happened, with the system's error code for searches.

const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections; nothing listens there',
  ECONNRESET: 'cut the connection',
  EPIPE: 'cut the connection',
  ETIMEDOUT: 'did not answer in time',
  EHOSTUNREACH: 'cannot be reached from this network',
  ENETUNREACH: 'cannot be reached from this network',
  ENOTFOUND: 'is an unknown name',
  EAI_AGAIN: 'is a name that could not be looked up',
};

/** @param who subject of the sentence, such as "Gateway gw1.example:6180" */
export function describeSocketFailure(who: string, error: NodeJS.ErrnoException): string {
  const sentence = error.code === undefined ? undefined : sentences[error.code];
  return sentence === undefined ? `${who}: ${error.code ?? error.message}` : `${who} ${sentence} (${error.code ?? ''})`;
}
