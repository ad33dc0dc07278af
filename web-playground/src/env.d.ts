/// <reference types="svelte" />
/// <reference types="vite/client" />

declare module "virtual:catalogue" {
  export const catalogue: import("./lib/model").CatalogueEntry[];
  export const load: Record<string, () => Promise<{ default: Record<string, unknown> }>>;
}

declare module "virtual:labels/*" {
  const labels: import("./tutorials/types").Labels;
  export default labels;
}

declare module "virtual:texts/*" {
  const texts: import("./tutorials/types").Texts;
  export default texts;
}

declare module "policy-wasm/zones.bin?url" {
  const address: string;
  export default address;
}

declare module "policy-wasm/glue_bg.wasm?url" {
  const address: string;
  export default address;
}

declare module "policy-wasm/zones.bin?url" {
  const address: string;
  export default address;
}
