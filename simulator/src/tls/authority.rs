//! Certificates made at run time; no key is ever stored.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivatePkcs8KeyDer;

/// A certificate authority with a key of its own, so that nothing but its own servers can be trusted by mistake.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// Makes a key and a root certificate.
    #[allow(clippy::new_without_default, reason = "two authorities are never equal")]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "Simulated authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key can be made");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate can sign itself");
        Authority { issuer }
    }

    /// The root certificate in PEM: what a client has to trust, e.g. as the file that `SSL_CERT_FILE` names.
    pub fn certificate_pem(&self) -> String {
        self.issuer.pem()
    }

    /// What a TLS server needs to be each of `hosts`: names such as `x.vault.azure.net` or `*.vault.azure.net`, or IP
    /// addresses. HTTP/1.1 is the only protocol offered.
    pub fn server_config(&self, hosts: &[&str]) -> Arc<ServerConfig> {
        let (certificate, key) = self.issue(hosts);
        let chain = vec![certificate.der().clone(), self.issuer.der().clone()];
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the usual protocol versions")
            .with_no_client_auth()
            .with_single_cert(chain, key.into())
            .expect("the key is that of the certificate");
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }

    /// The same for a server that reads PEM files: the certificate, and its key.
    pub fn certificate_and_key_pem(&self, hosts: &[&str]) -> (String, String) {
        let (certificate, key) = self.issue(hosts);
        (certificate.pem(), key.serialize_pem())
    }

    fn issue(&self, hosts: &[&str]) -> (Certificate, KeyPair) {
        let names: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("the hosts are names or addresses");
        params.distinguished_name.push(DnType::CommonName, "Simulated server");
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.signed_by(&key, &self.issuer).expect("the authority can sign");
        (certificate, key)
    }
}
