// Owns the names of the three Electron channels between renderer and main. Only the preload script and electron/main/ipc use them.

export const bridgeChannels = {
  /** Renderer to main, with an answer: one BridgeCall, one CallResult. */
  call: 'farkeep:call',
  /** Renderer to main, without an answer: the id of a call. */
  cancel: 'farkeep:cancel',
  /** Main to renderer: one BridgeEvent. */
  event: 'farkeep:event',
} as const;
