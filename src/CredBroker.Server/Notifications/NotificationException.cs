using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;

namespace CredBroker.Server.Notifications;

/// <summary>
/// A notification was not taken. What it says, and what <see cref="Says"/> says of any fault, may stand in the log and in
/// the store: it names no address, which may be a secret, and nothing of the answer.
/// </summary>
internal sealed class NotificationException(string message) : Exception(message)
{
    /// <summary>What kept it, in words that may be kept; null where the fault is no failure to send.</summary>
    public static string? Says(Exception fault) =>
        fault switch
        {
            NotificationException own => own.Message,
            HttpRequestException { InnerException: NotificationException own } => own.Message,
            HttpRequestException { HttpRequestError: var error } => $"it could not be reached ({error})",
            SocketException { SocketErrorCode: var error } => $"it could not be reached ({error})",
            AuthenticationException => "its certificate is not trusted",
            CryptographicException => "a certificate could not be read",
            FileNotFoundException or DirectoryNotFoundException => "the file does not exist",
            IOException or UnauthorizedAccessException => "a file could not be read, or the connection broke off",
            OperationCanceledException => "it did not answer in time",
            _ => null,
        };
}
