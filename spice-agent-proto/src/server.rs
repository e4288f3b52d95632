//! What servers tell agents on their own account, past the client.

use alloc::vec::Vec;

use spice_proto::wire::{Blob, Reader, Wire, Writer};
use spice_proto::{DecodeError, flags, pod, wire};

flags! {
    /// Buttons that are held. Wire: `buttons`, u32; each is one place above where the inputs channel has it.
    pub struct AgentButtons: u32 {
        /// Left button.
        LEFT = 1 << 1,
        /// Middle button.
        MIDDLE = 1 << 2,
        /// Right button.
        RIGHT = 1 << 3,
        /// Wheel away from the user.
        UP = 1 << 4,
        /// Wheel towards the user.
        DOWN = 1 << 5,
        /// First extra button.
        SIDE = 1 << 6,
        /// Second extra button.
        EXTRA = 1 << 7,
    }
}

impl AgentButtons {
    /// The buttons of the inputs channel's mask.
    ///
    /// ```
    /// use spice_agent_proto::server::AgentButtons;
    /// assert_eq!(AgentButtons::from_inputs_mask(0b101), AgentButtons::LEFT | AgentButtons::RIGHT);
    /// ```
    pub const fn from_inputs_mask(mask: u16) -> Self {
        Self::from_bits_retain((mask as u32) << 1)
    }
}

pod! {
    /// Where the pointer is and what is held. Wire: agent message 1, server → agent.
    pub struct MouseState {
        /// Columns from the left edge of the monitor.
        pub x: u32,
        /// Rows from the upper edge of the monitor.
        pub y: u32,
        /// The buttons that are held.
        pub buttons: AgentButtons,
        /// The monitor.
        pub display_id: u8,
    }
}

wire! {
    /// Which output of which graphics device shows one monitor.
    pub struct DeviceDisplayInfo {
        /// The display channel.
        pub channel_id: u32,
        /// The monitor of that channel.
        pub monitor_id: u32,
        /// The output of the device.
        pub device_display_id: u32,
        /// The device, such as `pci/0000/02.0`, with a NUL at the end that is counted.
        pub device_address: Blob<u32>,
    }
}

impl DeviceDisplayInfo {
    /// The device's address without its NUL; `None` when it is not UTF-8.
    pub fn address(&self) -> Option<&str> {
        core::str::from_utf8(self.device_address.split(|b| *b == 0).next()?).ok()
    }
}

/// Which graphics devices show the monitors. Wire: agent message 16, server → agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GraphicsDeviceInfo {
    /// One entry per monitor; none when the machine does not know.
    pub displays: Vec<DeviceDisplayInfo>,
}

impl Wire for GraphicsDeviceInfo {
    const MIN_LEN: usize = 4;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.field("count");
        let count: u32 = r.pod()?;
        // The list grows with the bytes that are there, never by the count alone.
        let mut displays = Vec::new();
        for _ in 0..count {
            displays.push(DeviceDisplayInfo::decode(r)?);
        }
        Ok(Self { displays })
    }

    fn inline_len(&self) -> usize {
        Self::MIN_LEN + self.displays.iter().map(Wire::inline_len).sum::<usize>()
    }

    fn encode(&self, w: &mut Writer<'_>) {
        (self.displays.len() as u32).encode(w);
        self.displays.iter().for_each(|display| display.encode(w));
    }
}

spice_proto::__when_testing! {
    impl spice_proto::testing::Sample for GraphicsDeviceInfo {
        fn sample(s: &mut spice_proto::testing::Source<'_>) -> Self {
            Self { displays: (0..s.below(4)).map(|_| spice_proto::testing::Sample::sample(s)).collect() }
        }
    }
}
