//! Routers as small as they can be, strict about what they are asked. Each has a loopback address of its own, because
//! NAT-PMP and PCP know one port only.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const TIMEOUT: Duration = Duration::from_secs(3);

const OUTSIDE: [u8; 4] = [8, 8, 8, 8];

/// An address of this process: tests may run twice on one machine.
fn loopback(last: u8) -> [u8; 4] {
    let [.., high, low] = std::process::id().to_be_bytes();
    [127, high | 1, low, last]
}

/// Nobody is searched: only the address is asked.
async fn only(address: IpAddr) -> (Router, UdpSocket) {
    let deaf = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let router = Router {
        address: Some(address),
        ssdp: deaf.local_addr().unwrap(),
    };
    (router, deaf)
}

/// What is sent to NAT-PMP's port at `address` is answered by `answer`.
async fn at_port(address: [u8; 4], answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) {
    let socket = UdpSocket::bind((IpAddr::from(address), GATEWAY_PORT))
        .await
        .unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 1100];
        loop {
            let (length, client) = socket.recv_from(&mut packet).await.unwrap();
            socket.send_to(&answer(&packet[..length]), client).await.unwrap();
        }
    });
}

fn external_address(result: u8) -> Vec<u8> {
    [[0, 128, 0, result].as_slice(), &[0, 0, 0, 7], &OUTSIDE].concat()
}

/// Success for a MAP request, with what it asked for and our address.
fn mapped(request: &[u8]) -> Vec<u8> {
    assert_eq!(request.len(), 60);
    assert_eq!(request[..2], [2, 1], "PCP's version 2, MAP");
    assert_eq!(
        request[8..24],
        [&[0; 10][..], &[255; 2], &[127, 0, 0, 1]].concat(),
        "its own address"
    );
    assert_eq!(request[36], 17, "UDP");
    assert_eq!(request[40..42], [0, 9], "discard");
    let header = [&[2, 129, 0, 0][..], &request[4..8], &[0, 0, 0, 7], &[0; 12]].concat();
    let outside = [&[0; 10][..], &[255; 2], &OUTSIDE].concat();
    [&header, &request[24..42], &[0x9c, 0x40], &outside].concat()
}

#[tokio::test]
async fn ddns_router_tells_by_nat_pmp() {
    let address = loopback(1);
    at_port(address, |request| {
        assert_eq!(request, [0, 0]);
        external_address(0)
    })
    .await;
    let (router, _deaf) = only(address.into()).await;
    let found = detect(Family::Ipv4, router, TIMEOUT).await.unwrap();
    assert_eq!(found, IpAddr::from(OUTSIDE));
}

#[tokio::test]
async fn ddns_router_tells_by_pcp_and_the_mapping_is_taken_back() {
    let address = loopback(2);
    let (sender, mut lifetimes) = tokio::sync::mpsc::unbounded_channel();
    at_port(address, move |request| {
        if request[0] == 0 {
            // RFC 6887, appendix A: a version that is not spoken.
            return [&[2, 128, 0, 1][..], &[0; 20]].concat();
        }
        sender.send(request[7]).unwrap();
        mapped(request)
    })
    .await;
    let (router, _deaf) = only(address.into()).await;
    let found = detect(Family::Ipv4, router, TIMEOUT).await.unwrap();
    assert_eq!(found, IpAddr::from(OUTSIDE));
    assert_eq!(lifetimes.recv().await, Some(LIFETIME as u8));
    assert_eq!(lifetimes.recv().await, Some(0));
}

#[tokio::test]
async fn ddns_router_that_has_no_address_itself_says_so() {
    let address = loopback(3);
    at_port(address, |request| {
        assert_eq!(request, [0, 0], "PCP has nothing to add");
        external_address(3)
    })
    .await;
    let (router, _deaf) = only(address.into()).await;
    let error = detect(Family::Ipv4, router, TIMEOUT / 3).await.unwrap_err();
    assert!(matches!(error, DetectError::NoneOutside), "{error}");
}

#[tokio::test]
async fn ddns_router_that_refuses_is_told_for_each_protocol() {
    let address = loopback(6);
    at_port(address, |request| match request[0] {
        0 => external_address(2),
        _ => [&[2, 129, 0, 2][..], &[0; 20]].concat(),
    })
    .await;
    let (router, _deaf) = only(address.into()).await;
    let error = detect(Family::Ipv4, router, TIMEOUT / 3).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "UPnP IGD: No response within timeout; NAT-PMP: Server responded with code: Not authorized; \
         PCP: Server responded with code: Not authorized"
    );
}

#[tokio::test]
async fn ddns_router_sends_no_answer_that_could_stop_us() {
    let address = loopback(4);
    let (router, _deaf) = only(address.into()).await;
    let answers = std::sync::Mutex::new(0..);
    at_port(address, move |request| {
        let length = answers.lock().unwrap().next().unwrap();
        let full = [&[request[0], 128 | request[1], 0, 0][..], &[7; 1200]].concat();
        full[..length].to_vec()
    })
    .await;
    for _ in 0..40 {
        // One of the lengths is that of an answer.
        let _ = nat_pmp_or_pcp(router, Duration::from_millis(160)).await;
    }
}

/// A router that answers searches: its SSDP address.
async fn igd_router(outside: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = format!("http://{}/root.xml", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(describe(stream, outside));
        }
    });
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let ssdp = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 2048];
        loop {
            let (length, client) = socket.recv_from(&mut packet).await.unwrap();
            let search = std::str::from_utf8(&packet[..length]).unwrap();
            assert!(search.starts_with("M-SEARCH * HTTP/1.1\r\n"), "{search}");
            assert!(
                search.to_lowercase().contains("\r\nman:\"ssdp:discover\"\r\n"),
                "{search}"
            );
            let target = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";
            if search.contains(target) {
                let found =
                    format!("HTTP/1.1 200 OK\r\nST: {target}\r\nLOCATION: {location}\r\nEXT:\r\n\r\n");
                socket.send_to(found.as_bytes(), client).await.unwrap();
            }
        }
    });
    ssdp
}

async fn describe(mut stream: TcpStream, outside: &str) {
    let service = "urn:schemas-upnp-org:service:WANIPConnection:1";
    let mut request = vec![0; 4096];
    let mut length = 0;
    let text = loop {
        length += stream.read(&mut request[length..]).await.unwrap();
        let text = std::str::from_utf8(&request[..length]).unwrap();
        if text.starts_with("GET ") && text.ends_with("\r\n\r\n") || text.trim_end().ends_with(":Envelope>") {
            break text;
        }
    };
    let body = match text.split(' ').take(2).collect::<Vec<_>>().as_slice() {
        ["GET", "/root.xml"] => format!(
            "<root xmlns='urn:schemas-upnp-org:device-1-0'><device><deviceList><device><deviceList><device>\
             <serviceList><service><serviceType>{service}</serviceType><controlURL>/ctl</controlURL>\
             <SCPDURL>/scpd.xml</SCPDURL></service></serviceList></device></deviceList></device></deviceList>\
             </device></root>"
        ),
        ["GET", "/scpd.xml"] => "<scpd><actionList><action><name>GetExternalIPAddress</name><argumentList>\
             <argument><name>NewExternalIPAddress</name><direction>out</direction></argument></argumentList>\
             </action></actionList></scpd>"
            .to_owned(),
        ["POST", "/ctl"] => {
            let action = format!("soapaction: \"{service}#GetExternalIPAddress\"");
            assert!(text.to_lowercase().contains(&action.to_lowercase()), "{text}");
            format!(
                "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>\
                 <u:GetExternalIPAddressResponse xmlns:u='{service}'><NewExternalIPAddress>{outside}\
                 </NewExternalIPAddress></u:GetExternalIPAddressResponse></s:Body></s:Envelope>"
            )
        }
        other => unreachable!("{other:?}"),
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream
        .write_all(format!("{head}{body}").as_bytes())
        .await
        .unwrap();
}

#[tokio::test]
async fn ddns_router_tells_by_upnp() {
    let ssdp = igd_router("8.8.8.8").await;
    let address = Some([127, 0, 0, 1].into());
    let found = detect(Family::Ipv4, Router { address, ssdp }, TIMEOUT)
        .await
        .unwrap();
    assert_eq!(found, IpAddr::from(OUTSIDE));
}

#[tokio::test]
async fn ddns_router_that_is_not_the_configured_one_is_not_believed() {
    let ssdp = igd_router("8.8.8.8").await;
    let address = Some(loopback(5).into());
    let error = detect(Family::Ipv4, Router { address, ssdp }, TIMEOUT)
        .await
        .unwrap_err();
    let told = error.to_string();
    assert!(told.starts_with("UPnP IGD: "), "{told}");
}

#[tokio::test]
async fn ddns_router_without_an_address_outside_is_an_error() {
    let ssdp = igd_router("").await;
    let address = Some([127, 0, 0, 1].into());
    let error = detect(Family::Ipv4, Router { address, ssdp }, TIMEOUT)
        .await
        .unwrap_err();
    assert!(matches!(error, DetectError::NoneOutside), "{error}");
}

#[tokio::test]
async fn ddns_router_that_babbles_is_quoted_in_one_short_line() {
    let babble = "\u{1b}[31m\n".repeat(1000);
    let told = failed(Protocol::Igd, babble).to_string();
    assert!(told.len() < 250 && !told.contains(char::is_control), "{told}");
}

#[tokio::test]
async fn ddns_router_has_no_ipv6_address_for_us() {
    let error = detect(Family::Ipv6, Router::new(None), TIMEOUT)
        .await
        .unwrap_err();
    assert!(matches!(error, DetectError::NotTranslated));
}
