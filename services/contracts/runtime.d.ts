// Declares the parts of AbortSignal that this folder uses, because it has neither DOM nor Node types. In each runtime the full type is
// merged with this declaration.
interface AbortSignal {
  readonly aborted: boolean;
}
