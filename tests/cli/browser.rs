//! A real browser: headless Chromium, controlled by chromedriver (W3C WebDriver, JSON over HTTP).

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The browser must only open the page: no user profile and no network services.
const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser with one empty tab, closed at the end of the test.
pub struct Browser {
    driver: Child,
    /// URL of the session's commands.
    session: String,
    _profile: TempDir,
}

impl Browser {
    pub fn open() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the tests need Chromium and chromedriver, which ./test installs");
        let mut lines = BufReader::new(driver.stdout.take().expect("it is piped")).lines();
        let port = lines.find_map(|line| {
            let line = line.expect("it says UTF-8");
            let port = line.split("started successfully on port ").nth(1)?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let address = format!("http://127.0.0.1:{}/session", port.expect("it says its port"));
        let profile = TempDir::new().expect("a temporary folder");
        let mut flags: Vec<_> = FLAGS.map(String::from).to_vec();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        let wanted = json!({ "alwaysMatch": {
            "goog:chromeOptions": { "args": flags },
            "goog:loggingPrefs": { "browser": "ALL" },
        }});
        let session = post(&address, &json!({ "capabilities": wanted }));
        let id = session["sessionId"].as_str().expect("a session has a name").to_owned();
        Browser { driver, session: format!("{address}/{id}"), _profile: profile }
    }

    fn command(&self, name: &str, body: &Value) -> Value {
        post(&format!("{}/{name}", self.session), body)
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        self.command("goog/cdp/execute", &json!({ "cmd": command, "params": parameters }));
    }

    /// Opens an address and waits until it is loaded.
    pub fn go(&self, address: &str) {
        self.command("url", &json!({ "url": address }));
    }

    /// Opens a file.
    pub fn open_file(&self, path: &Path) {
        self.go(&format!("file://{}", path.display()));
    }

    /// The value of a JavaScript expression in the page.
    pub fn value(&self, expression: &str) -> Value {
        self.command("execute/sync", &json!({ "script": format!("return {expression}"), "args": [] }))
    }

    /// The text of the first element that matches a selector.
    pub fn text(&self, selector: &str) -> String {
        let found = self.value(&format!("document.querySelector({selector:?})?.textContent"));
        found.as_str().unwrap_or_else(|| panic!("there is no {selector}")).trim().to_owned()
    }

    /// Waits until a JavaScript expression is true.
    pub fn wait_for(&self, expression: &str) {
        let started = Instant::now();
        while self.value(expression) != true {
            assert!(started.elapsed() < Duration::from_secs(60), "never became true: {expression}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn resize(&self, width: u32) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// `light` or `dark`.
    pub fn prefer(&self, scheme: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": [feature] }));
    }

    /// Moves the pointer to a position in the page.
    pub fn point(&self, x: f64, y: f64) {
        let moved = json!({ "type": "mouseMoved", "x": x, "y": y });
        self.devtools("Input.dispatchMouseEvent", &moved);
    }

    pub fn press(&self, key: &str) {
        self.devtools("Input.dispatchKeyEvent", &json!({ "type": "keyDown", "key": key }));
    }

    /// Errors in the browser's console: script errors, refused requests, broken pictures.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.command("se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().expect("a list").iter();
        entries.map(|entry| entry["message"].to_string()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Closes the browser; without this, only its driver would end.
        ureq::delete(&self.session).call().ok();
        self.driver.kill().ok();
        self.driver.wait().ok();
    }
}

fn post(address: &str, body: &Value) -> Value {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
    let mut response = agent.post(address).send(body.to_string()).expect("the driver answers");
    let text = response.body_mut().read_to_string().expect("the answer is text");
    let answer: Value = serde_json::from_str(&text).expect("the answer is JSON");
    assert!(answer["value"]["error"].is_null(), "{address}: {answer}");
    answer["value"].clone()
}
