namespace CredBroker.Benchmarks;

/// <summary>A table on the console, columns as wide as their longest cell; all but the first aligned right.</summary>
internal sealed class Table(params string[] header)
{
    private readonly List<string[]> _rows = [header];

    public void Add(params string[] row) => _rows.Add(row);

    public void Print()
    {
        var widths = Enumerable
            .Range(0, header.Length)
            .Select(column => _rows.Max(row => row[column].Length))
            .ToArray();
        for (var i = 0; i < _rows.Count; i++)
        {
            Console.WriteLine(
                "  "
                    + string.Join(
                        "  ",
                        _rows[i]
                            .Select(
                                (cell, column) =>
                                    column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column])
                            )
                    )
            );
            if (i == 0)
            {
                Console.WriteLine("  " + string.Join("  ", widths.Select(width => new string('-', width))));
            }
        }
    }
}
