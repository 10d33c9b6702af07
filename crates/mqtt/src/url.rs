//! Where an outside broker is, and how to show that without its password.

use std::fmt;

use crate::error::MqttError;

/// The port of plain MQTT when a URL names none.
const DEFAULT_PORT: u16 = 1883;

/// A name and a password for a broker. Its `Debug` form masks the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password; empty is allowed.
    pub password: String,
}

/// The address of a broker this crate can reach: `mqtt://` or `tcp://`, `[user[:password]@]host[:port]`; the scheme may be left out.
///
/// Its `Display` and `Debug` forms mask the password.
///
/// ```
/// let url = mqtt::BrokerUrl::parse("mqtt://ana:secret@broker.example").unwrap();
/// assert_eq!(url.to_string(), "mqtt://ana:****@broker.example:1883");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

impl BrokerUrl {
    /// Understands a URL, percent-encoding in user name and password included.
    ///
    /// # Errors
    /// [`MqttError::TransportNotSupported`] for `mqtts`, `ssl`, `tls`, `ws` and `wss`; [`MqttError::BadUrl`] for anything else that is not a broker's URL.
    pub fn parse(text: &str) -> Result<Self, MqttError> {
        let text = text.trim();
        let bad = |problem: String| MqttError::BadUrl { url: mask(text), problem };
        let (scheme, rest) = text.split_once("://").unwrap_or(("mqtt", text));
        match scheme.to_ascii_lowercase().as_str() {
            "mqtt" | "tcp" => {}
            "mqtts" | "ssl" | "tls" | "ws" | "wss" => {
                return Err(MqttError::TransportNotSupported {
                    url: mask(text),
                    scheme: scheme.to_ascii_lowercase(),
                });
            }
            _ => return Err(bad("unknown scheme; use mqtt:// or tcp://".to_owned())),
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if !path.is_empty() {
            return Err(bad("a path has no meaning over plain TCP".to_owned()));
        }
        let (credentials, address) = match authority.rsplit_once('@') {
            Some((user, address)) => (Some(parse_credentials(user).map_err(&bad)?), address),
            None => (None, authority),
        };
        let (host, port) = split_port(address).map_err(&bad)?;
        Ok(Self { host: host.to_owned(), port, credentials })
    }

    /// The host name or IP address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port, 1883 if the URL named none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The login inside the URL, if any.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// The same broker with this login; it is then part of what `Display` shows, masked.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mqtt://")?;
        if let Some(credentials) = &self.credentials {
            write!(f, "{}:****@", credentials.username)?;
        }
        let bracketed = self.host.contains(':');
        let (open, close) = if bracketed { ("[", "]") } else { ("", "") };
        write!(f, "{open}{}{close}:{}", self.host, self.port)
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BrokerUrl({self})")
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).field("password", &"****").finish()
    }
}

/// The URL with everything between the scheme (or the user name) and the last `@` hidden, however broken the URL is.
fn mask(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    match rest.rsplit_once('@') {
        Some((user, address)) => {
            let name = user.split_once(':').map_or(user, |(name, _)| name);
            format!("{scheme}{name}:****@{address}")
        }
        None => format!("{scheme}{rest}"),
    }
}

fn parse_credentials(text: &str) -> Result<Credentials, String> {
    let (username, password) = text.split_once(':').unwrap_or((text, ""));
    Ok(Credentials { username: percent_decode(username)?, password: percent_decode(password)? })
}

fn split_port(address: &str) -> Result<(&str, u16), String> {
    let (host, port) = if let Some(bracketed) = address.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']').ok_or("no ] after the IPv6 address")?;
        match after.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if after.is_empty() => (host, None),
            None => return Err("unexpected text after ]".to_owned()),
        }
    } else {
        match address.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return Err("an IPv6 address must stand in brackets".to_owned());
            }
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        }
    };
    if host.is_empty() {
        return Err("no host name".to_owned());
    }
    if host.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("the host name contains a blank or a control character".to_owned());
    }
    match port {
        None => Ok((host, DEFAULT_PORT)),
        Some(port) => match port.parse::<u16>() {
            Ok(port) if port > 0 => Ok((host, port)),
            _ => Err(format!("{port:?} is not a port number from 1 to 65535")),
        },
    }
}

fn percent_decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let digits = rest.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(byte.ok_or("a % in the login is not followed by two hex digits; write %25 for %")?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).map_err(|_| "the login is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gives_host_port_and_login() {
        let url = BrokerUrl::parse("tcp://us%65r:p%40ss:word@[::1]:1884").unwrap();
        assert_eq!((url.host(), url.port()), ("::1", 1884));
        let login = url.credentials().unwrap();
        assert_eq!((login.username.as_str(), login.password.as_str()), ("user", "p@ss:word"));
        assert_eq!(url.to_string(), "mqtt://user:****@[::1]:1884");
        assert_eq!(BrokerUrl::parse("localhost").unwrap().port(), 1883);
    }

    #[test]
    fn tls_and_websocket_urls_say_that_they_are_not_supported_yet() {
        for url in ["mqtts://h", "ssl://h", "ws://h/mqtt", "WSS://u:topsecret@h:443/mqtt"] {
            let error = BrokerUrl::parse(url).unwrap_err();
            assert!(matches!(error, MqttError::TransportNotSupported { .. }), "{url}: {error}");
            assert!(error.to_string().contains("not supported yet"));
        }
    }

    #[test]
    fn a_bad_url_is_refused_without_showing_the_password() {
        let urls = [
            "http://u:topsecret@h",
            "mqtt://u:topsecret@",
            "mqtt://u:topsecret@h:0",
            "mqtt://u:topsecret@h:port",
            "mqtt://u:topsecret@h/x",
            "mqtt://u:topsecret%@h",
            "mqtt://u:topsecret@::1",
            "mqtt://u:topsecret@[::1",
            "u:topsecret@h h",
        ];
        for url in urls {
            let error = BrokerUrl::parse(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("topsecret"), "{error:?}");
        }
        let login = Credentials { username: "u".into(), password: "topsecret".into() };
        assert!(!format!("{login:?}").contains("topsecret"));
        let url = BrokerUrl::parse("mqtt://u:topsecret@h").unwrap();
        assert!(!format!("{url} {url:?}").contains("topsecret"));
    }
}
