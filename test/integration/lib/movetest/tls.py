"""Certificates for receivers, made with openssl: right ones and wrong ones."""

import pathlib
import subprocess


class Authority:
    """A certificate authority in a folder; `ca` is what a client has to trust."""

    def __init__(self, folder, name='authority'):
        self.folder = pathlib.Path(folder)
        self.ca = self.folder / f'{name}.pem'
        self.key = self.folder / f'{name}.key'
        self._make(self.ca, self.key, name, '-addext', 'basicConstraints=critical,CA:TRUE',
                   '-addext', 'keyUsage=critical,keyCertSign')

    @staticmethod
    def _make(certificate, key, name, *options):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                        'ec_paramgen_curve:P-256', '-nodes', '-keyout', str(key), '-out',
                        str(certificate), '-subj', f'/CN={name}', *options],
                       check=True, capture_output=True)

    def issue(self, name, host='IP:127.0.0.1', expired=False, by_itself=False):
        """(certificate, key) for a host; expired, or signed by itself instead of by us."""
        certificate, key = self.folder / f'{name}.pem', self.folder / f'{name}.key'
        options = ['-addext', f'subjectAltName={host}', '-addext',
                   'basicConstraints=critical,CA:FALSE']
        if not by_itself:
            options += ['-CA', str(self.ca), '-CAkey', str(self.key)]
        if expired:
            options += ['-not_before', '20200101000000Z', '-not_after', '20200201000000Z']
        self._make(certificate, key, name, *options)
        return str(certificate), str(key)
