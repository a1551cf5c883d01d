/** Where a target is and what is spoken there, as telemetry tells it. Made when an API is published. */
export interface TargetPeer {
  /** The provider's plug-in, such as `mistral`; undefined where no models are asked. */
  readonly plugin?: string | undefined;
  /** The host's name or address. */
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  /** `pipe` for a process on its standard streams. */
  readonly transport: "tcp" | "pipe";
}

/** The peer behind an absolute address of HTTP; the port is the scheme's where none is named. Throws where it is none. */
export function peerAt(address: string, plugin?: string): TargetPeer {
  const { hostname, port, protocol } = new URL(address);
  const usual = protocol === "https:" ? 443 : 80;
  return {
    plugin,
    address: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? usual : Number(port),
    transport: "tcp",
  };
}
