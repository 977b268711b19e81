namespace CredBroker.Core.Policy.Document;

/// <summary>
/// Collects every fault of a document, in the order of its lines, up to a number that a person can still read.
/// </summary>
internal sealed class PolicyFaultList
{
    private const int Most = 100;

    private readonly List<PolicyFault> _faults = [];
    private bool _isFull;

    public bool Any => _faults.Count > 0;

    public void Add(YamlNode at, string message) => Add(at.Line, at.Column, message);

    public void Add(int line, int column, string message)
    {
        if (_faults.Count < Most)
        {
            _faults.Add(new(line, column, message));
        }
        else if (!_isFull)
        {
            _isFull = true;
            _faults.Add(new(0, 0, $"there are more than {Most} faults; the rest is not shown"));
        }
    }

    public IReadOnlyList<PolicyFault> ToList() =>
        [.. _faults.OrderBy(fault => fault.Line == 0).ThenBy(fault => fault.Line).ThenBy(fault => fault.Column)];
}
