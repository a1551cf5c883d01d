const maxHeaderLength = 4_096;

/** The token in an `Authorization` header: a scheme whose case is free (RFC 9110, 11.1), spaces, printable ASCII. */
export function bearerToken(authorization: string): string | undefined {
  if (authorization.length > maxHeaderLength) return undefined;
  return /^bearer +([\x21-\x7e]+)$/i.exec(authorization)?.[1];
}
