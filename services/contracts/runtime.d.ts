// Every runtime has AbortSignal, but this folder knows neither DOM nor Node types; the full type merges with this one there.
interface AbortSignal {
  readonly aborted: boolean;
}
