using System.ComponentModel;
using System.Diagnostics;
using CredBroker.Cli.Exec;

namespace CredBroker.Cli.Login;

/// <summary>The user's browser.</summary>
internal static class Browser
{
    /// <summary>Whether a browser here could show its user something.</summary>
    public static bool IsHere(Func<string, string?> variable) =>
        !OperatingSystem.IsLinux()
        || ((variable("DISPLAY") ?? variable("WAYLAND_DISPLAY")) is not null && variable("SSH_CONNECTION") is null);

    /// <summary>
    /// Opens an address, an http or https one, where that works. The address is shown as well, so nothing depends on it.
    /// </summary>
    public static void Open(Uri address, Func<string, string?> variable)
    {
        try
        {
            var start = (OperatingSystem.IsWindows(), OperatingSystem.IsMacOS()) switch
            {
                (true, _) => new ProcessStartInfo(address.AbsoluteUri) { UseShellExecute = true },
                (_, true) => new("/usr/bin/open", [address.AbsoluteUri]),
                _ => new(Executable.Find("xdg-open", variable), [address.AbsoluteUri])
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                },
            };
            Process.Start(start)?.Dispose();
        }
        catch (Exception exception) when (exception is Win32Exception or CliException or IOException)
        {
            // The person opens it by hand.
        }
    }
}
