/** An authority of a test's own and a certificate of this machine under it, for a server that only that test believes. */
import { type CertificateAndKey, issueLeaf, makeAuthority } from '../agent/base/certificates.ts';

export async function localTls(): Promise<{ readonly authority: CertificateAndKey; readonly leaf: CertificateAndKey }> {
  const authority = await makeAuthority({
    name: 'Test',
    permittedDnsNames: ['localhost'],
    permittedIpRanges: ['127.0.0.0/8'],
    validDays: 1,
  });
  const leaf = await issueLeaf({ authority, names: ['localhost'], addresses: ['127.0.0.1'], validDays: 1 });
  return { authority, leaf };
}
