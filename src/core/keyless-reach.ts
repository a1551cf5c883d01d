/**
 * From where an API that asks for no key is answered here. Development: `loopback`; production: `nobody`, so that it
 * cannot even be published; `network.allowKeyless` makes it `anybody` in both.
 */
export type KeylessReach = "nobody" | "loopback" | "anybody";
