/// <reference types="svelte" />
/// <reference types="vite/client" />

declare module "virtual:catalogue" {
  export const catalogue: import("./lib/model").CatalogueEntry[];
  export const load: Record<string, () => Promise<{ default: Record<string, unknown> }>>;
}

declare module "policy-wasm/glue_bg.wasm?url" {
  const address: string;
  export default address;
}
