//! Requests to EC2 in its query protocol. Its SDK would take minutes to build for the four operations used.

use url::form_urlencoded::Serializer;

use super::Service;

pub const EC2: Service = Service {
    id: "EC2",
    name: "ec2",
    host: "ec2",
};
/// It has not changed for years.
const API_VERSION: &str = "2016-11-15";

/// A request's form.
pub struct Request(Serializer<'static, String>);

impl Request {
    /// Begins the form of an operation such as `DescribeRegions`.
    pub fn new(action: &str) -> Self {
        let mut form = Serializer::new(String::new());
        form.append_pair("Action", action)
            .append_pair("Version", API_VERSION);
        Self(form)
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.append_pair(name, value);
        self
    }

    /// Adds the only filter: `name` must have one of these values.
    #[must_use]
    pub fn filter<'a>(mut self, name: &str, values: impl IntoIterator<Item = &'a String>) -> Self {
        self.0.append_pair("Filter.1.Name", name);
        for (index, value) in values.into_iter().enumerate() {
            let parameter = format!("Filter.1.Value.{}", index + 1);
            self.0.append_pair(&parameter, value);
        }
        self
    }

    /// Returns the form as it is sent.
    pub fn finish(mut self) -> String {
        self.0.finish()
    }
}
