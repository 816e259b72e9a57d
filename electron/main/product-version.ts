// Owns the version that the console shows: the build inserts it (electron/electron-bundle.mjs).
declare const FARKEEP_VERSION: string;

export const productVersion: string = FARKEEP_VERSION;
