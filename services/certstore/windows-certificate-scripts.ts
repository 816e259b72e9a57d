// Owns the two PowerShell scripts (5.1, .NET Framework 4.6.1) that read Local Computer\Personal. They are constants: data comes on standard
// input. They must print only ASCII (base64 in JSON), because the console's code page is unknown, and must not contain double quotes, which
// PowerShell's command line removes.

// The policy of a CNG key says whether it may be exported encrypted (AllowExport, 1) or plain (AllowPlaintextExport, 2); for a PFX either
// is enough. Keys of an old CSP have one flag. PowerShell itself reads standard input into $input; reading [Console]::In as well would lose
// data.
const prelude = `
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
Add-Type -AssemblyName System.Core
function ConvertTo-Base64Text([string]$text) { [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($text)) }
function Get-ErrorCode($record) { '{0:X8}' -f $record.Exception.GetBaseException().HResult }
function Get-KeyState($certificate) {
  if (-not $certificate.HasPrivateKey) { return @{ state = 'none'; code = $null } }
  try {
    $key = [Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPrivateKey($certificate)
    if ($null -eq $key) {
      $key = [Security.Cryptography.X509Certificates.ECDsaCertificateExtensions]::GetECDsaPrivateKey($certificate)
    }
    if ($null -eq $key) { return @{ state = 'locked'; code = $null } }
    try {
      if ($key -is [Security.Cryptography.RSACryptoServiceProvider]) {
        $canExport = $key.CspKeyContainerInfo.Exportable
      } else {
        $canExport = ([int]$key.Key.ExportPolicy -band 3) -ne 0
      }
    } finally { $key.Dispose() }
    if ($canExport) { return @{ state = 'exportable'; code = $null } }
    return @{ state = 'locked'; code = $null }
  } catch {
    return @{ state = 'unreadable'; code = (Get-ErrorCode $_) }
  }
}
function Open-Store([string]$name) {
  $store = New-Object Security.Cryptography.X509Certificates.X509Store($name, 'LocalMachine')
  $store.Open('ReadOnly, OpenExistingOnly')
  return $store
}
`;

export const listScript = `${prelude}
$rows = @()
foreach ($certificate in (Open-Store 'My').Certificates) {
  if ($rows.Count -ge 500) { break }
  $rows += @{
    der = [Convert]::ToBase64String($certificate.RawData)
    name = ConvertTo-Base64Text $certificate.FriendlyName
    key = Get-KeyState $certificate
  }
}
[Console]::Out.Write((ConvertTo-Json -Compress -Depth 4 -InputObject @{ certificates = $rows }))
`;

// Looks up intermediates by name in the machine's own store. X509Chain would fetch missing ones from the network. The import later keeps
// those that really signed. They are parsed again from their bytes, so that no private key of an authority on this machine gets into the
// PFX.
export const exportScript = `${prelude}
$wanted = $null
foreach ($certificate in (Open-Store 'My').Certificates) {
  if ($certificate.Thumbprint -eq $lines[0]) { $wanted = $certificate; break }
}
$answer = @{ pfx = $null; name = ''; key = $null }
if ($null -ne $wanted) {
  $answer.name = ConvertTo-Base64Text $wanted.FriendlyName
  $answer.key = Get-KeyState $wanted
  if ($answer.key.state -eq 'exportable') {
    $bundle = New-Object Security.Cryptography.X509Certificates.X509Certificate2Collection
    [void]$bundle.Add($wanted)
    try {
      $authorities = @((Open-Store 'CA').Certificates)
      $issuer = $wanted.Issuer
      for ($depth = 0; $depth -lt 8; $depth++) {
        $found = @($authorities | Where-Object { $_.Subject -ceq $issuer -and $_.Subject -cne $_.Issuer })
        if ($found.Count -eq 0) { break }
        foreach ($authority in ($found | Select-Object -First 8)) {
          [void]$bundle.Add((New-Object Security.Cryptography.X509Certificates.X509Certificate2(,$authority.RawData)))
        }
        $issuer = $found[0].Issuer
      }
    } catch {
      # Without intermediates the certificate still serves; the import says that its chain is not trusted.
    }
    try {
      $answer.pfx = [Convert]::ToBase64String($bundle.Export('Pfx', [string]$lines[1]))
    } catch {
      $answer.key = @{ state = 'unreadable'; code = (Get-ErrorCode $_) }
    }
  }
}
[Console]::Out.Write((ConvertTo-Json -Compress -Depth 4 -InputObject $answer))
`;
