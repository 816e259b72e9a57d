export const tenantTexts = {} as const;
