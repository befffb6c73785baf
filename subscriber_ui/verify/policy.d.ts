// What the app knows of policy.js.
export interface Policy {
  readonly quorum: string;
}

export function parsePolicy(text: string): Promise<Policy>;
