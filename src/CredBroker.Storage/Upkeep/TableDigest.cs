using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using CredBroker.Storage.Sql;

namespace CredBroker.Storage.Upkeep;

/// <summary>
/// SHA-256 over a table's rows in the order of its key, from which two tables are seen to hold the same whatever engine
/// holds them. Each value stands with its length, so that no two different tables are the same bytes.
/// </summary>
internal sealed class TableDigest : IDisposable
{
    private const byte None = 0;
    private const byte Number = 1;
    private const byte Bytes = 2;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public TableDigest(SqlTable table)
    {
        foreach (var column in table.Columns)
        {
            Add(Encoding.UTF8.GetBytes(column.Name));
        }
    }

    public long Rows { get; private set; }

    public void Add(IEnumerable<object?> row)
    {
        Rows++;
        foreach (var value in row)
        {
            switch (value)
            {
                case null:
                    _hash.AppendData([None]);
                    break;
                case long number:
                    AddHeader(Number, number);
                    break;
                default:
                    Add((byte[])value);
                    break;
            }
        }
    }

    public string Finish() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    public void Dispose() => _hash.Dispose();

    private void Add(byte[] bytes)
    {
        AddHeader(Bytes, bytes.Length);
        _hash.AppendData(bytes);
    }

    private void AddHeader(byte kind, long number)
    {
        Span<byte> header = stackalloc byte[9];
        header[0] = kind;
        BinaryPrimitives.WriteInt64LittleEndian(header[1..], number);
        _hash.AppendData(header);
    }
}
