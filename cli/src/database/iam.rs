//! Tokens with which RDS and Aurora let an IAM identity in. A token is an address that AWS credentials have signed; making one
//! asks nobody. It is looked at when a connection is made, for 15 minutes, and never again: connections outlive it.

use std::time::Duration;

use accelbench_store::PgPool;
use accelbench_store::pool::renew_password;
use anyhow::{Context as _, bail, ensure};
use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use chrono::{DateTime, Utc};
use url::Url;

/// For how long AWS takes a token.
const VALID: Duration = Duration::from_mins(15);

/// Every new connection gets a token that is hardly older; credentials may end sooner than a token.
const RENEWAL: Duration = Duration::from_mins(1);

/// Who signs in where.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SignIn {
    host: String,
    port: u16,
    user: String,
    region: String,
}

/// Makes tokens for one database.
#[derive(Debug, Clone)]
pub(super) struct Tokens {
    sign_in: SignIn,
    credentials: SharedCredentialsProvider,
}

impl Tokens {
    /// For the database at `url`, with the AWS credentials of this process.
    pub(super) async fn of(url: &str) -> anyhow::Result<Self> {
        let config = aws_config::defaults(BehaviorVersion::latest()).load().await;
        let region = config.region().map(ToString::to_string);
        let sign_in = SignIn::read(url, region)?;
        let credentials = config.credentials_provider().context(NO_CREDENTIALS)?;
        Ok(Self { sign_in, credentials })
    }

    /// A token from now on.
    pub(super) async fn fresh(&self) -> anyhow::Result<String> {
        let credentials = self.credentials.provide_credentials().await.context(NO_CREDENTIALS)?;
        self.sign_in.token(credentials, Utc::now())
    }

    /// Gives the pool's new connections fresh tokens for as long as the process lives.
    pub(super) fn renew(self, pool: PgPool) {
        tokio::spawn(async move {
            while !pool.is_closed() {
                tokio::time::sleep(RENEWAL).await;
                match self.fresh().await {
                    Ok(token) => renew_password(&pool, &token),
                    // The last one is good for a while yet.
                    Err(error) => tracing::warn!(
                        error = format!("{error:#}"),
                        "the token for the database could not be renewed"
                    ),
                }
            }
        });
    }
}

const NO_CREDENTIALS: &str = "no AWS credentials sign the token for the database; give the process a role with rds-db:connect, or use --database-authentication password";

impl SignIn {
    fn read(url: &str, region: Option<String>) -> anyhow::Result<Self> {
        let url = Url::parse(url).context("the database's address is no URL")?;
        let mode = url.query_pairs().find(|(key, _)| key == "sslmode").map(|(_, mode)| mode.into_owned());
        // A token is a password for a quarter of an hour, and AWS takes it over TLS alone.
        ensure!(
            matches!(mode.as_deref(), Some("verify-full" | "verify-ca" | "require")),
            "tokens travel over TLS alone: add sslmode=verify-full and sslrootcert=FILE to the database's address"
        );
        let host = url.host_str().context("the database's address names no host")?.to_owned();
        ensure!(!url.username().is_empty(), "the database's address names no user");
        let Some(region) = region_of(&host).or(region) else {
            bail!("the region of {host} is not known; set AWS_REGION");
        };
        Ok(Self { port: url.port().unwrap_or(5432), user: url.username().to_owned(), host, region })
    }

    fn token(&self, credentials: Credentials, now: DateTime<Utc>) -> anyhow::Result<String> {
        let mut settings = SigningSettings::default();
        settings.expires_in = Some(VALID);
        settings.signature_location = SignatureLocation::QueryParams;
        let identity = credentials.into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("rds-db")
            .time(now.into())
            .settings(settings)
            .build()?
            .into();
        // The user stands in the address as it stood in the database's: percent-encoded.
        let address = format!("https://{}:{}/?Action=connect&DBUser={}", self.host, self.port, self.user);
        let request = SignableRequest::new("GET", &address, std::iter::empty(), SignableBody::Bytes(&[]))?;
        let (instructions, _signature) = sign(request, &parameters)?.into_parts();
        let mut signed = Url::parse(&address)?;
        for (name, value) in instructions.params() {
            signed.query_pairs_mut().append_pair(name, value);
        }
        Ok(signed.as_str().trim_start_matches("https://").to_owned())
    }
}

/// `NAME.REGION.rds.amazonaws.com`, or `.com.cn` in China.
fn region_of(host: &str) -> Option<String> {
    let (before, _) = host.split_once(".rds.amazonaws.com")?;
    before.rsplit('.').next().map(str::to_owned).filter(|region| region.contains('-'))
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;
    use chrono::DateTime;
    use std::collections::BTreeMap;
    use url::Url;

    use super::SignIn;

    const HOST: &str = "accelbench.cluster-abc.eu-west-1.rds.amazonaws.com";

    fn sign_in(query: &str) -> anyhow::Result<SignIn> {
        SignIn::read(&format!("postgres://accelbench_app@{HOST}/accelbench?{query}"), None)
    }

    fn parameters(token: &str) -> BTreeMap<String, String> {
        let url = Url::parse(&format!("https://{token}")).unwrap();
        url.query_pairs().into_owned().collect()
    }

    #[test]
    fn a_token_is_a_signed_address_of_a_quarter_of_an_hour() {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("session".to_owned()), None, "test");
        let at = |seconds: i64| DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap();
        let sign_in = sign_in("sslmode=verify-full").unwrap();
        let token = sign_in.token(credentials.clone(), at(0)).unwrap();
        assert!(token.starts_with(&format!("{HOST}:5432/?Action=connect&DBUser=accelbench_app&")), "{token}");
        let parameters = parameters(&token);
        assert_eq!(parameters["X-Amz-Algorithm"], "AWS4-HMAC-SHA256");
        assert_eq!(parameters["X-Amz-Credential"], "AKIDEXAMPLE/20260921/eu-west-1/rds-db/aws4_request");
        assert_eq!(parameters["X-Amz-Date"], "20260921T141320Z");
        assert_eq!(parameters["X-Amz-Expires"], "900");
        assert_eq!(parameters["X-Amz-SignedHeaders"], "host");
        assert_eq!(parameters["X-Amz-Security-Token"], "session");
        assert_eq!(parameters["X-Amz-Signature"].len(), 64);
        assert!(!token.contains("secret"));
        let later = sign_in.token(credentials, at(60)).unwrap();
        assert_ne!(later, token, "a later token is another");
    }

    #[test]
    fn tokens_travel_over_tls_alone() {
        assert!(sign_in("sslmode=verify-full").is_ok());
        for mode in ["", "sslmode=prefer", "sslmode=disable"] {
            let refused = sign_in(mode).unwrap_err().to_string();
            assert!(refused.contains("sslmode=verify-full"), "{refused}");
        }
    }

    #[test]
    fn a_region_is_read_off_the_name_or_given() {
        assert_eq!(sign_in("sslmode=require").unwrap().region, "eu-west-1");
        let own = |region: Option<&str>| {
            SignIn::read("postgres://a@db.internal:5433/b?sslmode=require", region.map(str::to_owned))
        };
        assert_eq!(own(Some("us-east-1")).unwrap().region, "us-east-1");
        assert!(own(None).unwrap_err().to_string().contains("AWS_REGION"));
    }
}
